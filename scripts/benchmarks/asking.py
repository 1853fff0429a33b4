"""A request to a running page, timed."""

import time
import urllib.error
import urllib.request
from typing import NamedTuple

from web.browser.running_web import RunningWeb


class Asked(NamedTuple):
    status: int
    seconds: float


def ask(web: RunningWeb, path: str) -> Asked:
    """From the request to the answer's last byte, whatever the answer is."""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(f"{web.url}{path}", timeout=120) as response:  # noqa: S310 - web's own
            response.read()
            status = response.status
    except urllib.error.HTTPError as error:
        status = error.code
    return Asked(status, time.monotonic() - began)
