"""Addresses that become links."""

from urllib.parse import SplitResult, quote, urlsplit


def web_url(stored: str | None) -> str | None:
    """`stored` if it is an address that may become a link, else None: it is a stranger's text."""
    parts = _parts(stored)
    return stored if parts is not None and parts.scheme in ("http", "https") and parts.hostname else None


def history_url(page_url: str | None) -> str | None:
    """The page's history, from `https://en.wikipedia.org/wiki/Title`; None for any other URL."""
    parts = _parts(page_url)
    if parts is None or parts.scheme != "https" or not parts.path.startswith("/wiki/"):
        return None
    title = parts.path.removeprefix("/wiki/")
    return f"https://{parts.netloc}/w/index.php?title={quote(title, safe='%')}&action=history"


def _parts(url: str | None) -> SplitResult | None:
    try:
        return urlsplit(url or "")
    except ValueError:  # such as https://[en.wikipedia.org/
        return None
