"""What the page shows, as anybody sees it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from wiki_common.doctor.finding import Finding, ok, problem
from wiki_common.health.probe import NO_ANSWER, ask

AHEAD: Final = timedelta(minutes=1)


def check_page(address: str, port: int) -> Iterator[Finding]:
    """Nothing if it doesn't answer, which the check of its health says."""
    ready, said = ask(address, port, "/readyz")
    if said.startswith(NO_ANSWER):
        return
    answers, text = ask(address, port, "/api/v1/top?limit=1")
    if not answers:
        yield problem("page", f"the API fails: {text}: see the log of web")
        return
    answer = json.loads(text)
    state, as_of = answer["state"], answer["as_of"]
    if not ready:
        yield problem("page", f"{state}: {said}: what comes before it is checked by the others' doctors")
    else:
        yield ok("page", f"{state}, counted up to {as_of}")
    if as_of is not None:
        yield clock_finding(datetime.fromisoformat(as_of), datetime.now(UTC))


def clock_finding(as_of: datetime, now: datetime) -> Finding:
    """The page counts up to a time of the stream: it can't be ahead of a clock that is right."""
    what, ahead = "page clock", as_of - now
    if ahead > AHEAD:
        return problem(what, f"it is {ahead.total_seconds():.0f} s behind as_of: set it by a time server")
    return ok(what, f"as_of is {max(-ahead.total_seconds(), 0.0):.0f} s ago")
