"""Short questions to a service on this machine; the answer is None, or the reason why not."""

import urllib.error
import urllib.request
from collections.abc import Callable

from local_stack import ports

# As the services do: no proxy that the environment may name.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def listens(host: str, port: int) -> Callable[[], str | None]:
    """A check that something accepts connections on `host`:`port`."""
    return lambda: None if ports.accepts(host, port) else f"nothing listens on {host}:{port} yet"


def answers(url: str, *, timeout: float = 2, user_agent: str = "run-local") -> str | None:
    """None once a GET of `url` begins to be answered with 200, else the status and text, or what failed."""
    request = urllib.request.Request(url, headers={"User-Agent": user_agent})  # noqa: S310  (the user's own URL)
    try:
        with _DIRECT.open(request, timeout=timeout):
            return None
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.reason}: {error.read(300).decode('utf-8', 'replace').strip()}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (OSError, ValueError) as error:
        return str(error)
