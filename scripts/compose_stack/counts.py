"""Whether the page's counts are exactly those of what the simulator handed out."""

import json
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from wiki_web.data.titles import spelled

DOMAIN = "en.wikipedia.org"
LIMIT = 500


@dataclass(frozen=True)
class Answer:
    """What /api/v1/top says: all changes and titles of the window, and the changes of its first titles."""

    changes: int
    titles: int
    top: dict[str, int]


def kept_titles(ledger: str) -> list[str]:
    """The title of each change of the domain, as the page spells it, in the stream's order, each once."""
    kept: dict[int, str] = {}
    for line in ledger.splitlines():
        event: dict[str, Any] = json.loads(line)
        if event["domain"] == DOMAIN and event["kind"] in ("change", "huge"):
            kept[event["index"]] = spelled(event["title"])
    return [kept[index] for index in sorted(kept)]


def ask(port: int) -> Answer:
    """The page's answer for a window that holds the whole test; raises OSError or HTTPException."""
    url = f"http://127.0.0.1:{port}/api/v1/top?types=all&window=24h&limit={LIMIT}"
    with urllib.request.urlopen(url, timeout=30) as response:
        document = json.load(response)
    totals = document["totals"]
    return Answer(
        totals["changes"], totals["titles"], {row["title"]: row["changes"] for row in document["titles"]}
    )


def difference(answer: Answer, kept: Iterable[str]) -> str | None:
    """How `answer` differs from the first `answer.changes` of `kept`; None if it is exactly these.

    The page is always a little behind, but the pipeline keeps the order: with nothing lost and nothing
    doubled its counts are those of a first part of the stream.
    """
    first = list(kept)[: answer.changes]
    if len(first) < answer.changes:
        return f"the page counts {answer.changes} changes, {len(first)} were handed out"
    expected = Counter(first)
    if answer.titles != len(expected):
        return f"{answer.titles} titles in {answer.changes} changes on the page, {len(expected)} handed out"
    wrong = {
        title: (count, expected[title]) for title, count in answer.top.items() if count != expected[title]
    }
    if wrong:
        title, (count, handed_out) = next(iter(wrong.items()))
        return (
            f"{len(wrong)} titles differ; {title!r} is counted {count} times, handed out {handed_out} times"
        )
    return None


def behind(ask_page: Callable[[], Answer], read_ledger: Callable[[], str], at_least: int) -> str | None:
    """Why the page does not show exactly what was handed out, `at_least` changes of it, or None."""
    try:
        answer = ask_page()
    except (OSError, HTTPException) as error:
        return f"the page does not answer: {error}"
    if answer.changes < at_least:
        return f"the page counts {answer.changes} changes, {at_least} were handed out"
    return difference(answer, kept_titles(read_ledger()))
