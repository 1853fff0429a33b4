"""Whether the service runs here and is well, as it says itself."""

from collections.abc import Iterator

from wiki_common.doctor.finding import Finding, ok, problem
from wiki_common.health.probe import NO_ANSWER, ask


def check_health(address: str, port: int) -> Iterator[Finding]:
    """Of the service that listens on `address`:`port`."""
    healthy, text = ask(address, port)
    if healthy:
        yield ok("health", text)
    elif text.startswith(NO_ANSWER):
        yield problem("health", f"{text}: it doesn't run here, or has only begun to: see its log")
    else:
        yield problem("health", f"{text}: see its log")
