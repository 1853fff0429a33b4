"""Short questions to a service or the stream; the answer is None, or the reason why not."""

import urllib.error
import urllib.request
from collections.abc import Callable

from local_stack import ports


def listens(host: str, port: int) -> Callable[[], str | None]:
    """A check that something accepts connections on `host`:`port`."""
    return lambda: None if ports.accepts(host, port) else f"nothing listens on {host}:{port} yet"


def answers(url: str) -> str | None:
    """None once a GET of `url`, on this machine, begins to be answered with 200. No proxy is asked."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return _reason(direct, urllib.request.Request(url), timeout=2)  # noqa: S310 - our own URL


def stream_answers(url: str, *, user_agent: str) -> str | None:
    """The same for the stream, through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for it."""
    request = urllib.request.Request(url, headers={"User-Agent": user_agent})  # noqa: S310 - the user's own URL
    return _reason(urllib.request.build_opener(), request, timeout=5)


def _reason(
    opener: urllib.request.OpenerDirector, request: urllib.request.Request, *, timeout: float
) -> str | None:
    """None, or the status and text, or what failed."""
    try:
        with opener.open(request, timeout=timeout):
            return None
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.reason}: {error.read(300).decode('utf-8', 'replace').strip()}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (OSError, ValueError) as error:
        return str(error)
