"""Fixtures: a Chromium, a web service with changes in it, tabs that are watched."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from harness.browser import chromium
from web.browser.running_web import RunningWeb
from web.browser.watched import ARGUMENTS, PATIENCE, HasUrl, Watched
from web.committed import Change, CommittedChanges, now

expect.set_options(timeout=PATIENCE)

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'
TITLES = {
    "Ada Lovelace": 9,
    "Kyiv": 7,
    SCRIPT: 5,
    "Talk:Moon": 4,
    "مدينة الرياح": 3,
    "Long " * 45 + "end": 2,
    "By hand": 1,
}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Its event loop stays around on this thread, so it must end before other packages' async tests.
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def grown_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningWeb, CommittedChanges]]:
    folder = tmp_path_factory.mktemp("web")
    committed = CommittedChanges(folder / "data")
    committed.commit(*some_changes())
    with RunningWeb(folder) as web:
        yield web, committed


@pytest.fixture
def web(grown_web: tuple[RunningWeb, CommittedChanges]) -> RunningWeb:
    """Shared by a file's tests, and fresh: a change that isn't counted was committed just now."""
    web, committed = grown_web
    committed.commit(Change(now(), title="Tick", type="log"))
    web.wait_until_ready()
    return web


@pytest.fixture
def committed(grown_web: tuple[RunningWeb, CommittedChanges]) -> CommittedChanges:
    """Where a test adds changes to `web`'s; it leaves the titles of other tests alone."""
    return grown_web[1]


OpenTab = Callable[..., Watched]


@pytest.fixture
def tab(browser: Browser) -> Iterator[OpenTab]:
    """Opens a watched tab on a service; each must be without problems at the test's end."""
    opened: list[Watched] = []

    def open_tab(web: HasUrl, **options: Any) -> Watched:
        opened.append(Watched(browser, web.url, **options))
        return opened[-1]

    yield open_tab
    for each in opened:
        each.close()


def some_changes() -> Iterator[Change]:
    """TITLES, each so many times over the last 25 minutes, of kinds that the filters tell apart."""
    for title, count in TITLES.items():
        for place in range(count):
            bot = place % 3 == 2
            yield Change(
                now() - timedelta(minutes=2 + 2.5 * place),
                title=title,
                user="Tidy Bot" if bot else ("Ada", IMAGE)[place % 2],
                bot=bot,
                namespace=1 if title.startswith("Talk:") else 0,
                length_new=100 + 40 * (place % 5 - 1),
                comment='<b>bold</b> "quoted"' if place else "",
            )
    yield Change(now() - timedelta(minutes=3), title="Category:Bridges", type="categorize", namespace=14)
    yield Change(now() - timedelta(hours=2), title="Long ago")
