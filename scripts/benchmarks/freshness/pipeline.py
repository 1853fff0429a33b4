"""The whole pipeline on this machine, reading a simulated stream, and one measurement of it."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.freshness.moments import Passage, Watched, passages
from benchmarks.freshness.watchers import (
    AnswerPoller,
    Browser,
    TopicReader,
    browser_at,
    commit_moments,
    repeated,
)
from benchmarks.parts import cores, cpu_seconds
from harness.processes import free_port, wait_until
from harness.run_local import RunLocal
from harness.simulator import Simulator

_PAST: Final = 20 * 60
"""Seconds of the stream that lie behind the start, so that the page holds as much as one that runs."""
_WINDOW: Final = "1h"
"""Longer than the past and a run together: nothing leaves it, so the total only grows."""
_PATIENCE: Final = 300.0  # seconds
_RECENT: Final = 10.0  # seconds behind at which the past has been read
_NO_ENGLISH: Final = 2**31  # "only every Nth event is English"
_TOPIC: Final = "wiki-changes"


@dataclass(frozen=True)
class Case:
    """What is measured. `rate` is events per second over all wikis, `trigger` the consumer's interval."""

    engine: str
    rate: int
    trigger: str

    @property
    def name(self) -> str:
        return f"{self.engine}, {self.rate}/s, trigger {self.trigger}"


@dataclass(frozen=True)
class Span:
    """Seconds: what is left out at the beginning, and what is measured then."""

    warm_up: float
    measured: float


@dataclass(frozen=True)
class Freshness:
    """One measurement: the ways of all events that count, and what each part took, in cores."""

    case: Case
    passages: Sequence[Passage]
    cores: dict[str, float]


@dataclass(frozen=True)
class Idle:
    """What each part takes, in cores, while the stream is `stream`."""

    case: Case
    stream: str
    cores: dict[str, float]


class Stream:
    """What the simulator hands out, `rate` events a second; it begins twenty minutes ago."""

    def __init__(self, simulator: Simulator, rate: int) -> None:
        self._simulator = simulator
        self._rate = rate
        self._start = time.time() - _PAST

    def go_on(self) -> None:
        self._simulator.run(start=self._start, rate=self._rate, events=0)

    def leave_others(self) -> None:
        """From now on there are other wikis' events only."""
        self._simulator.run(start=self._start, rate=self._rate, events=0, english_every=_NO_ENGLISH)

    def fall_silent(self) -> None:
        """From now on there is no event at all."""
        self._simulator.run_idle()


class Pipeline:
    """run-local on free ports, with its data in `folder`; it reads `simulator` from twenty minutes ago."""

    def __init__(self, folder: Path, simulator: Simulator, case: Case) -> None:
        kafka_port = free_port()
        environment = {
            "WIKI_STREAM_URL": f"{simulator.url}?since={int((time.time() - _PAST) * 1000)}",
            "WEB_ENGINE": case.engine,
            "WEB_WINDOW": _WINDOW,
            "KAFKA_PORT": str(kafka_port),
            "KAFKA_TOPIC": _TOPIC,
            "KAFKA_TOPIC_PARTITIONS": "1",
            # Empty is as good as unset: the broker and the folders are the run's own.
            "KAFKA_BOOTSTRAP_SERVERS": "",
            "DATA_DIR": "",
            "TRIGGER_INTERVAL": case.trigger,
        }
        self.local = RunLocal(folder, env=environment)
        self.bootstrap_servers = f"127.0.0.1:{kafka_port}"
        self._simulator = simulator
        self._changes = folder / "state/data/changes"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.local.web_port}/"

    def await_the_present(self) -> None:
        """Wait until the stream's past is counted. Raises AssertionError."""

        def is_recent() -> bool:
            self.local.assert_runs()
            answer = self.local.get("/api/v1/top")
            as_of = answer and answer["as_of"]
            return bool(as_of) and datetime.now(UTC).timestamp() - _seconds(as_of) < _RECENT

        wait_until(is_recent, timeout=_PATIENCE, what="the page has counted the stream's past", every=0.5)

    def watched(self, topic: TopicReader, answers: AnswerPoller, browser: Browser) -> Watched:
        """All that was seen up to now."""
        arrivals = list(topic.arrivals)
        known = {arrival.id for arrival in arrivals}
        return Watched(
            # An older simulator's ledger has the event's time alone: a few milliseconds earlier.
            handed_out={
                entry["id"]: entry.get("handed_out", entry["time"]) / 1000
                for entry in self._simulator.handed_out()
                if entry["id"] in known
            },
            topic=arrivals,
            committed=commit_moments(self._changes),
            answers=list(answers.sightings),
            pages=list(browser.sightings),
        )

    def close(self) -> None:
        self.local.close()


@contextmanager
def _running(case: Case) -> Iterator[tuple[Pipeline, Stream]]:
    """The pipeline once it has read the stream's past, and the stream."""
    with (
        tempfile.TemporaryDirectory(prefix="freshness-") as name,
        closing(Simulator(Path(name))) as simulator,
    ):
        stream = Stream(simulator, case.rate)
        stream.go_on()
        with closing(Pipeline(Path(name), simulator, case)) as pipeline:
            pipeline.await_the_present()
            yield pipeline, stream


def measure(case: Case, span: Span) -> Freshness:
    """Raises Incomplete, and AssertionError when the pipeline doesn't come up."""
    with ExitStack() as stack:
        pipeline, _ = stack.enter_context(_running(case))
        topic = stack.enter_context(closing(TopicReader(pipeline.bootstrap_servers, _TOPIC)))
        answers = stack.enter_context(closing(AnswerPoller(pipeline.local.web_port)))
        browser = stack.enter_context(browser_at(pipeline.url))
        for look in (topic.look, answers.look):
            stack.enter_context(repeated(look))
        _wait(pipeline, browser, span.warm_up)
        start, before = time.time(), cpu_seconds()
        _wait(pipeline, browser, span.measured)
        end, after = time.time(), cpu_seconds()
        browser.wait_until(lambda: topic.read_until >= end, what="the topic has all events")
        count = len(topic.arrivals)
        browser.wait_until(lambda: browser.total >= count, what=f"the page shows {count} changes")
        watched = pipeline.watched(topic, answers, browser)
        return Freshness(case, passages(watched, start, end), cores(before, after, end - start))


def measure_idle(case: Case, span: Span) -> list[Idle]:
    """Without an event, and with other wikis' events only; nobody looks at the page.

    Raises AssertionError when the pipeline doesn't come up, or ends.
    """
    with _running(case) as (pipeline, stream):
        found = []
        for name, begin in (
            ("silent", stream.fall_silent),
            (f"{case.rate}/s of other wikis", stream.leave_others),
        ):
            begin()
            time.sleep(span.warm_up)
            start, before = time.monotonic(), cpu_seconds()
            time.sleep(span.measured)
            found.append(Idle(case, name, cores(before, cpu_seconds(), time.monotonic() - start)))
            pipeline.local.assert_runs()
        return found


def _wait(pipeline: Pipeline, browser: Browser, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        pipeline.local.assert_runs()
        browser.wait(min(1.0, left))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
