"""Two pages over one volume, one on each engine: at the same commit it is all one which of them is asked."""

import http.client
import json
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

from harness.processes import wait_until
from web.balanced import WHICH, Balanced
from web.browser.running_web import RunningWeb
from web.committed import Change, CommittedChanges, now
from wiki_common.coverage import Coverage, Gap

pytestmark = pytest.mark.slow

ANSWERS = [
    "/api/v1/top",
    "/api/v1/top?format=csv",
    "/api/v1/top?types=all&window=24h&limit=500",
    "/api/v1/timeline?window=2h",
    "/api/v1/changes?bots=exclude&limit=50",
    "/api/v1/changes?title=Ada+Lovelace&format=csv",
    "/api/v1/editors?window=24h&limit=100",
    "/feed.atom?at_least=2&window=6h&types=all",
]
PATIENCE = 60  # seconds
HTML = ["/", "/?window=24h&types=all", "/page?title=Ada+Lovelace"]


@dataclass(frozen=True)
class Answer:
    status: int
    etag: str
    body: bytes
    of: str
    """Which of the two has given it."""


class Stream:
    """A viewer who is told of answers."""

    def __init__(self, url: str, last_event_id: str = "") -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._connection.request("GET", "/api/v1/stream", headers={"Last-Event-ID": last_event_id})
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200
        self.of = answered_by(self._answer)

    def next_event(self) -> dict[str, Any]:
        """Its data and its id."""
        event_id = self._after(b"id: ")
        data: dict[str, Any] = json.loads(self._after(b"data: "))
        return {**data, "id": event_id}

    def until(self, as_of: datetime) -> str:
        """The id of the event that tells of the commit of that time."""
        while True:
            event = self.next_event()
            if event["as_of"] is not None and datetime.fromisoformat(event["as_of"]) == as_of:
                return str(event["id"])

    def wait_until_cut(self) -> None:
        with suppress(http.client.IncompleteRead, ConnectionError):
            self._answer.read()

    def _after(self, prefix: bytes) -> str:
        while not (line := self._answer.readline()).startswith(prefix):
            assert line, "the stream has ended"
        return line.removeprefix(prefix).decode().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def answered_by(answer: http.client.HTTPResponse) -> str:
    """The last of those that nginx asked."""
    return answer.getheader(WHICH, "").rpartition(", ")[2]


def get(url: str, path: str, known: str = "") -> Answer:
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as connection:
        connection.request("GET", path, headers={"If-None-Match": known} if known else {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheader("ETag", ""), answer.read(), answered_by(answer))


class Pages:
    """Two services over one folder that grows, and nginx before them."""

    def __init__(self, both: tuple[RunningWeb, RunningWeb], proxy: Balanced) -> None:
        self.both = both
        self.url = proxy.url
        self._committed = CommittedChanges(both[0].data_dir)

    def commit(
        self, *changes: Change, gaps: tuple[Gap, ...] = (), taken_in_by: Sequence[RunningWeb] | None = None
    ) -> datetime:
        """Up to when everything is counted then; returns once it is taken in, by both unless told."""
        as_of = datetime.now(UTC)
        self._committed.commit(*changes, covered=Coverage(as_of, gaps))
        wait_until(
            lambda: all(self._as_of(page) == as_of for page in taken_in_by or self.both),
            timeout=PATIENCE,
            what="the commit is taken in",
        )
        return as_of

    def lose_a_batch(self) -> None:
        """As who was behind for long finds it: whoever follows loads everything anew."""
        self._committed.skip_batch()

    def are_equal(self, path: str) -> bool:
        """To be awaited: an answer that costs much may be of a commit before for some seconds."""
        one, other = (get(page.url, path) for page in self.both)
        assert one.status == other.status == 200
        if one.etag.startswith("W/"):
            return one.etag == other.etag
        assert (one.etag == other.etag) == (one.body == other.body)
        return one.etag == other.etag

    def _as_of(self, page: RunningWeb) -> datetime | None:
        told = json.loads(get(page.url, "/api/v1/top").body)["as_of"]
        return told and datetime.fromisoformat(told)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("pages")
    data = folder / "data"
    with (
        RunningWeb(folder / "one", data_dir=data) as one,
        RunningWeb(folder / "other", data_dir=data, engine="spark") as other,
    ):
        proxy = Balanced(folder, (one, other))
        try:
            yield Pages((one, other), proxy)
        finally:
            proxy.stop()


def some_changes(number: int) -> list[Change]:
    """With the same time, title or editor now and then, and with what may be missing."""
    return [
        Change(
            now() - timedelta(minutes=place * 7, seconds=place % 2),
            title=["Ada Lovelace", "Kyiv", "مدينة الرياح", f"Title {number}"][place % 4],
            user=["Ada", "Bot", None][place % 3],
            bot=[False, True, None][place % 3],
            type=["edit", "new", "log"][place % 3],
            wiki=["enwiki", "dewiki"][place % 5 == 4],
            length_new=[110, None, 2**40][place % 3],
        )
        for place in range(20)
    ]


def test_equal_commits_have_equal_answers_however_each_page_came_there(pages: Pages) -> None:
    """One has followed and has had to load anew, the other has just begun."""
    gap = Gap(now() - timedelta(minutes=40), now() - timedelta(minutes=30))
    pages.commit(*some_changes(0), gaps=(Gap(None, now() - timedelta(hours=20)),))
    pages.lose_a_batch()
    pages.commit(*some_changes(1), gaps=(gap,))
    one = pages.both[0]
    one.stop()
    one.start()
    pages.commit(*some_changes(2))
    for path in (*ANSWERS, *HTML):
        wait_until(partial(pages.are_equal, path), timeout=PATIENCE, what=f"equal answers to {path}")


def test_what_one_has_given_the_other_does_not_send_again(pages: Pages) -> None:
    pages.commit(*some_changes(3))

    def nothing_new(path: str) -> bool:
        first = get(pages.url, path)
        others = [get(pages.url, path, known=first.etag) for _ in range(2)]
        assert len({answer.of for answer in others}) == 2, "nginx asks them in turns"
        return [answer.status for answer in others] == [304, 304]

    for path in (*ANSWERS, *HTML):
        wait_until(partial(nothing_new, path), timeout=PATIENCE, what=f"both know the answer to {path}")


def test_a_viewer_who_comes_back_to_the_other_is_told_only_what_is_new(pages: Pages) -> None:
    first = pages.commit(*some_changes(4))
    with Stream(pages.url) as viewer:
        last = viewer.until(first)
    assert ids_of(pages, first) == [last, last]
    with Stream(pages.url, last) as again:
        assert again.of != viewer.of
        then = pages.commit(*some_changes(5))
        event = again.next_event()
    assert datetime.fromisoformat(event["as_of"]) == then
    assert ids_of(pages, then) == [event["id"], event["id"]]


def test_viewers_of_a_page_that_is_killed_go_on_with_the_other(pages: Pages) -> None:
    """Last in this file: one of the two ends."""
    first = pages.commit(*some_changes(6))
    one, other = pages.both
    with Stream(pages.url) as viewer, Stream(pages.url) as second:
        last = viewer.until(first)
        assert second.until(first) == last
        lost, kept = (viewer, second) if viewer.of in one.url else (second, viewer)
        one.stop()
        lost.wait_until_cut()
        with Stream(pages.url, last) as again:
            assert again.of == kept.of
            then = pages.commit(Change(now(), "After"), taken_in_by=(other,))
            assert again.until(then) == kept.until(then)
    assert [get(pages.url, "/api/v1/top").status for _ in range(5)] == [200] * 5


def ids_of(pages: Pages, as_of: datetime) -> list[str]:
    """Of the event that each of the two tells of that commit."""
    ids = []
    for page in pages.both:
        with Stream(page.url) as viewer:
            ids.append(viewer.until(as_of))
    return ids
