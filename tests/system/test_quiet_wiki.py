"""A wiki with one change in ten minutes, through the whole pipeline: live, unless nobody reads the stream."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

import pytest
from playwright.sync_api import Page, sync_playwright

from harness.browser import chromium
from harness.processes import wait_until
from harness.run_local import RunLocal
from harness.simulator import Simulator
from web.browser.watched import ARGUMENTS, Watched

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

_RATE = 40
_PERIOD = 600
_WATCHED = 45
"""Seconds: longer than a page stays live that hears of nothing."""
_TOLD_WITHIN = 35


class QuietWiki:
    """A running pipeline whose wiki changed once, a minute and a half before it was started."""

    def __init__(self, local: RunLocal, page: Page) -> None:
        self.local = local
        self._word = page.locator("#freshness .word")
        page.goto("/")

    def states(self) -> tuple[str, str]:
        """What API and page say."""
        return self.local.get("/api/v1/top")["state"], self._word.text_content() or ""

    def as_of(self) -> datetime:
        return datetime.fromisoformat(self.local.get("/api/v1/top")["as_of"])


@pytest.fixture(scope="module")
def wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuietWiki]:
    folder, now = tmp_path_factory.mktemp("quiet"), time.time()
    with closing(Simulator(folder)) as simulator, sync_playwright() as playwright:
        start, every = now - _PERIOD - 90, _RATE * _PERIOD
        simulator.run(start=start, rate=_RATE, events=3 * every, english_every=every)
        url = f"{simulator.url}?since={int((now - 120) * 1000)}"
        with closing(RunLocal(folder, env={"WIKI_STREAM_URL": url, "WEB_ENGINE": "duckdb"})) as local:
            local.wait_for_line("the page is ready")
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
            tab = Watched(browser, f"http://127.0.0.1:{local.web_port}")
            yield QuietWiki(local, tab.page)
            tab.close()
            browser.close()


def test_it_is_live_all_the_time(wiki: QuietWiki) -> None:
    wait_until(lambda: wiki.states() == ("live", "Live"), timeout=60, what="API and page are live")
    began, read = time.monotonic(), wiki.as_of()
    while time.monotonic() - began < _WATCHED:
        assert wiki.states() == ("live", "Live")
        time.sleep(0.25)
    assert sum(row["changes"] for row in wiki.local.get("/api/v1/top")["titles"]) == 1
    assert (wiki.as_of() - read).total_seconds() > _WATCHED / 2


def test_without_a_producer_it_is_soon_told_as_stale(wiki: QuietWiki) -> None:
    with wiki.local.suspended("wiki_producer"):
        as_of, moved = wiki.as_of(), time.monotonic()
        while wiki.states() != ("stale", "Stale"):
            if (latest := wiki.as_of()) != as_of:
                as_of, moved = latest, time.monotonic()
            assert time.monotonic() - moved < _TOLD_WITHIN
            time.sleep(0.25)
    wait_until(lambda: wiki.states() == ("live", "Live"), timeout=60, what="API and page are live again")
