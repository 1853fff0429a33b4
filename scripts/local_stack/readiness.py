"""Short questions to a service or the stream; the answer is None, or the reason why not."""

import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException

from local_stack import ports
from wiki_producer.settings import Settings
from wiki_producer.stream.proxy import proxy_for_stream


def listens(host: str, port: int) -> Callable[[], str | None]:
    """A check that something accepts connections on `host`:`port`."""
    return lambda: None if ports.accepts(host, port) else f"nothing listens on {host}:{port} yet"


def answers(url: str) -> str | None:
    """None once a GET of `url`, on this machine, begins to be answered with 200. No proxy is asked."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return _reason(direct, urllib.request.Request(url), timeout=2)  # noqa: S310 - our own URL


def stream_answers(producer: Settings) -> str | None:
    """The same for the stream, asked as the producer asks it: by its name and through its proxy."""
    headers = {"User-Agent": producer.wiki_user_agent}
    request = urllib.request.Request(producer.wiki_stream_url, headers=headers)  # noqa: S310 - the user's own
    proxy = proxy_for_stream(producer)
    proxies = {} if proxy is None else {request.type: str(proxy)}
    return _reason(urllib.request.build_opener(urllib.request.ProxyHandler(proxies)), request, timeout=5)


def _reason(
    opener: urllib.request.OpenerDirector, request: urllib.request.Request, *, timeout: float
) -> str | None:
    """None, or the status and text, or what failed."""
    try:
        with opener.open(request, timeout=timeout):
            return None
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.reason}: {_text(error)}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (HTTPException, OSError, ValueError) as error:
        return str(error)


def _text(error: urllib.error.HTTPError) -> str:
    """What the answer says; who answers may stop in the middle of it."""
    try:
        return error.read(300).decode("utf-8", "replace").strip()
    except (HTTPException, OSError) as cut:
        return str(cut)
