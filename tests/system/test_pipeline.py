"""The whole pipeline as run-local starts it: what API and page count, against what the stream handed out."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import expect, sync_playwright

from harness.browser import chromium
from harness.processes import wait_until
from harness.run_local import RunLocal
from harness.simulator import Simulator
from web.browser.top_page import shown_top
from web.browser.watched import ARGUMENTS, PATIENCE, Watched

# The parts share two cores with whatever else runs; these tests ask for exactness, not for speed.
pytestmark = pytest.mark.timeout(900)

_RATE = 150
_LIMIT = 500
"""The most titles that the API gives at once; each part of the stream stays below it."""


class Pipeline:
    """run-local, reading a simulator that it has not started: any other server of the stream's protocol."""

    def __init__(self, local: RunLocal, simulator: Simulator) -> None:
        self.local = local
        self._simulator = simulator
        self._started = 0.0
        self._events = 0

    def serve(self, events: int) -> None:
        """Let the stream go on by `events` more, at its rate."""
        self._started = self._started or time.time() + 1
        self._events += events
        self._simulator.run(start=self._started, rate=_RATE, events=self._events)

    def counted(self) -> Counter[str]:
        """Changes by title, as the page's API tells."""
        self.local.assert_runs()
        answer = self.local.get(f"/api/v1/top?types=all&limit={_LIMIT}")
        return Counter({row["title"]: row["changes"] for row in answer["titles"]} if answer else {})

    def is_served(self) -> bool:
        """Whether the stream has handed out all."""
        return any(entry["index"] == self._events - 1 for entry in self._simulator.handed_out())

    def edited_titles(self) -> list[str]:
        """The title of each change handed out that the page counts by default, in the stream's order."""
        handed_out = sorted(self._simulator.handed_out(), key=lambda entry: int(entry["index"]))
        english = (entry for entry in handed_out if entry["domain"] == "en.wikipedia.org")
        return [entry["title"] for entry in english if entry["type"] in ("edit", "new")]

    def assert_counts_become_exact(self) -> None:
        """Once the stream has handed out all, the API must come to the same counts, and stay at them."""

        wait_until(self.is_served, timeout=240, what="the stream has handed out all events", every=0.5)
        expected = self._simulator.changes_by_title()
        assert 50 < len(expected) <= _LIMIT
        try:
            wait_until(lambda: self.counted() == expected, timeout=240, what="counts are exact", every=0.5)
        except AssertionError:
            counted = self.counted()
            missing, surplus = expected - counted, counted - expected
            pytest.fail(f"missing: {missing or 'none'}; too many: {surplus or 'none'}")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("pipeline")
    with closing(Simulator(folder)) as simulator:
        simulator.run_idle()
        with closing(RunLocal(folder, env={"WIKI_STREAM_URL": simulator.url})) as local:
            local.wait_for_line("reading live")
            yield Pipeline(local, simulator)


@pytest.fixture
def tab(pipeline: Pipeline) -> Iterator[Watched]:
    """A browser's look at the page; it must be without problems at the test's end."""
    expect.set_options(timeout=2 * PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        watched = Watched(browser, f"http://127.0.0.1:{pipeline.local.web_port}")
        yield watched
        watched.close()
        browser.close()


# The tests share one run and go on from each other, in this order.


def test_counts_equal_what_the_stream_handed_out(pipeline: Pipeline) -> None:
    pipeline.serve(1500)
    pipeline.assert_counts_become_exact()
    # On a busy machine the first part may have become old before it was shown: ready means fresh.
    pipeline.serve(300)
    pipeline.local.wait_for_line(f"the page is ready: http://127.0.0.1:{pipeline.local.web_port}/")
    pipeline.assert_counts_become_exact()


def test_the_page_shows_exact_counts_while_events_flow(pipeline: Pipeline, tab: Watched) -> None:
    """Whatever part of the stream a look finds on the page: its top 20 is that part's, to the last change."""
    page = tab.open()

    def shows_all() -> bool:
        total, rows = shown_top(page)
        handed_out = pipeline.edited_titles()
        expected = Counter(handed_out[:total])
        assert {title: expected[title] for title, _ in rows} == dict(rows)
        assert [count for _, count in rows] == [count for _, count in expected.most_common(20)]
        return pipeline.is_served() and total == len(handed_out)

    for _ in range(4):
        pipeline.serve(300)
        wait_until(shows_all, timeout=240, what="the page shows all changes", every=0.2)


@pytest.mark.slow
def test_the_page_says_that_the_server_is_away(pipeline: Pipeline, tab: Watched) -> None:
    pipeline.serve(600)
    page = tab.open()
    notice = page.locator("#unreachable")
    expect(page.locator("#titles tr")).to_have_count(20)
    with pipeline.local.suspended("wiki_web"):
        expect(notice).to_be_visible()
        expect(page.locator("#titles tr")).to_have_count(20)
    expect(notice).to_be_hidden()
    tab.expect_failed_requests()


@pytest.mark.slow
def test_the_page_says_that_the_consumer_is_away(pipeline: Pipeline, tab: Watched) -> None:
    state = tab.open().locator("#freshness .word")

    def is_live() -> bool:
        """While changes come: half a minute after the last of them it is not."""
        pipeline.serve(60)
        return state.text_content() == "Live"

    wait_until(is_live, timeout=240, what="the page is live", every=5)
    with pipeline.local.suspended("wiki_consumer"):
        pipeline.serve(60)
        expect(state).to_have_text("Stale")
    wait_until(is_live, timeout=240, what="the page is live again", every=5)


def test_counts_stay_exact_when_each_service_is_killed(pipeline: Pipeline) -> None:
    pipeline.serve(1500)
    for module in ("wiki_producer", "wiki_consumer", "wiki_web"):
        pipeline.local.kill_service(module)
    pipeline.assert_counts_become_exact()


def test_ctrl_c_ends_everything(pipeline: Pipeline) -> None:
    assert pipeline.local.stop(signal.SIGINT) == 0
    pipeline.local.wait_until_nothing_is_left()
