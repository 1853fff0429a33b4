"""The proxy for going out, by the variables that other programs read too."""

import ipaddress

from yarl import URL

from wiki_producer.settings import Settings


def proxy_for_stream(settings: Settings) -> URL | None:
    """The proxy to ask for WIKI_STREAM_URL; None to ask the stream itself.

    That is so without the variable for its scheme, for what NO_PROXY names, and always on this machine.
    """
    url = URL(settings.wiki_stream_url)
    proxy = settings.https_proxy if url.scheme == "https" else settings.http_proxy
    host = url.host or ""
    if proxy is None or _is_this_machine(host):
        return None
    if _is_left_out(host, f"{host}:{url.port}", settings.no_proxy or ""):
        return None
    return URL(proxy.get_secret_value())


def _is_left_out(host: str, host_and_port: str, no_proxy: str) -> bool:
    """Whether a name in `no_proxy` is the host or a domain that it is in; `*` is any."""
    for entry in no_proxy.lower().split(","):
        name = entry.strip().lstrip(".")
        if name == "*" or (name and any(f".{each}".endswith(f".{name}") for each in (host, host_and_port))):
            return True
    return False


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
