"""URLs in settings: the forms that the HTTP client can use, so that others are refused at the start."""

import ipaddress
import re
from typing import Final

from yarl import URL

_LABEL: Final = "[a-z0-9_-]{1,63}"
# A name whose last label is a number is an IPv4 address, or nothing.
_NAME: Final = re.compile(rf"(?:{_LABEL}\.)*(?!\d+\.?$){_LABEL}\.?")
_LONGEST_NAME: Final = 253


def parse_http_url(text: str) -> URL:
    """The URL; ValueError says what is expected if it is not http or https, or names no possible host."""
    expected = ValueError("expected an http:// or https:// URL with a host, and a port up to 65535 if any")
    if not text.isprintable() or " " in text:
        raise expected
    try:
        url = URL(text)
        # Both are computed when asked for, and the client asks for both.
        host, encoded, port = url.host, url.raw_host, url.explicit_port
    except ValueError:  # UnicodeError is one too
        raise expected from None
    if url.scheme not in {"http", "https"} or host is None or encoded is None or port == 0:
        raise expected
    if not _is_host(encoded):
        raise expected
    return url


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return len(host) <= _LONGEST_NAME and _NAME.fullmatch(host) is not None
    return True
