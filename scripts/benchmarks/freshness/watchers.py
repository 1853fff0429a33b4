"""Who looks at the places that an event passes, from outside: topic, volume, API, the page in a browser."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
from kafka import KafkaConsumer, TopicPartition
from playwright.sync_api import Page, sync_playwright

from benchmarks.freshness.moments import Arrival, Incomplete, Sighting
from harness.browser import chromium
from web.browser.watched import ARGUMENTS

COUNTED: Final = ("edit", "new")
"""The types that the page counts by default."""
POLL_SECONDS: Final = 0.05
"""Between two looks at the API: an answer is seen half of this too late, on average."""
_PATIENCE: Final = 30.0  # seconds
_LAST_WITHIN: Final = 120.0  # seconds

# Notes when the frame with the new total has been drawn.
_NOTE_TOTALS: Final = """
let shown = null;
const look = () => {
  const element = document.querySelector(".totals dd");
  const total = element && Number(element.textContent.replaceAll(",", ""));
  if (total === null || total === shown) return;
  shown = total;
  requestAnimationFrame(() => setTimeout(() => benchShows(Date.now() / 1000, total)));
};
new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
"""


@contextmanager
def repeated(look: Callable[[], None]) -> Iterator[None]:
    """`look` again and again in a thread of its own; what it raises is raised at the end."""
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            look()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        try:
            yield
        finally:
            ended.set()
        running.result()


class TopicReader:
    """Reads the topic's only partition from its beginning, as any other reader could."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self.arrivals: list[Arrival] = []
        self.read_until = 0.0
        """The newest event's time: the topic has whatever the stream handed out before it."""
        self._known: set[str] = set()
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        self._consumer.assign([TopicPartition(topic, 0)])

    def look(self) -> None:
        found = self._consumer.poll(timeout_ms=200)
        moment = time.time()
        for record in (record for records in found.values() for record in records):
            event = json.loads(record.value)
            self.read_until = max(self.read_until, datetime.fromisoformat(event["meta"]["dt"]).timestamp())
            # One that is in the topic twice counts once, and a heartbeat has no type.
            if event.get("type") in COUNTED and event["meta"]["id"] not in self._known:
                self._known.add(event["meta"]["id"])
                self.arrivals.append(Arrival(event["meta"]["id"], moment))

    def close(self) -> None:
        self._consumer.close()


class AnswerPoller:
    """Asks the API for the answer that the page shows too, so that none is computed for this alone."""

    def __init__(self, port: int) -> None:
        self.sightings: list[Sighting] = []
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        self._etag = ""
        self._due = time.monotonic()

    def look(self) -> None:
        time.sleep(max(0.0, self._due - time.monotonic()))
        self._due = max(self._due + POLL_SECONDS, time.monotonic())
        try:
            answer = self._changed_answer()
        except (OSError, HTTPException):
            self._connection.close()  # a server that starts again: the next look connects anew
            return
        if answer is not None:
            self.sightings.append(Sighting(time.time(), answer["totals"]["changes"]))

    def _changed_answer(self) -> Any:
        """None while it is the one of the last look. Raises OSError or HTTPException."""
        self._connection.request("GET", "/api/v1/top", headers={"If-None-Match": self._etag})
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            return None
        self._etag = response.getheader("ETag", "")
        return json.loads(body)

    def close(self) -> None:
        self._connection.close()


class Browser:
    """A tab with the page. Its moments arrive while `wait` runs."""

    def __init__(self, page: Page) -> None:
        self.sightings: list[Sighting] = []
        self._page = page
        page.expose_function("benchShows", lambda *seen: self.sightings.append(Sighting(*seen)))
        page.add_init_script(_NOTE_TOTALS)

    def wait(self, seconds: float) -> None:
        self._page.wait_for_timeout(seconds * 1000)

    def wait_until(self, condition: Callable[[], bool], *, what: str) -> None:
        """Raises Incomplete, naming `what`, if it takes too long."""
        until = time.monotonic() + _LAST_WITHIN
        while not condition():
            if time.monotonic() > until:
                raise Incomplete(f"not within {_LAST_WITHIN:g} s: {what} (it shows {self.total})")
            self.wait(0.1)

    @property
    def total(self) -> int:
        """The newest that was shown."""
        return self.sightings[-1].total if self.sightings else 0


@contextmanager
def browser_at(url: str) -> Iterator[Browser]:
    """A real Chromium that shows `url`."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        page = launched.new_page()
        browser = Browser(page)
        page.goto(url)
        yield browser
        launched.close()


def commit_moments(changes: Path) -> dict[str, float]:
    """When each event's batch appeared below `changes`, whole.

    A file's status changes last by the rename that lets it appear; its content is older. A batch with rows of
    two dates is there with the last of its files.
    """
    batches: dict[str, list[Path]] = {}
    for file in changes.glob("date=*/*.parquet"):
        batches.setdefault(file.stem.removesuffix("-part"), []).append(file)
    moments = {}
    for files in batches.values():
        moment = max(file.stat().st_ctime for file in files)
        for file in files:
            for event in pq.read_table(file, columns=["event_id"], partitioning=None)["event_id"].to_pylist():
                moments[event] = moment
    return moments
