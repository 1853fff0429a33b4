"""Each page in light and dark, small and large: WCAG as axe sees it, no sideways scrolling, and a picture."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from web.browser.conftest import OpenTab, some_changes
from web.browser.running_web import RunningWeb
from web.browser.watched import Watched
from web.committed import Change, CommittedChanges, changes_table, now
from web.data.usual import Counts, write_baseline
from wiki_common.baseline import Covered
from wiki_common.coverage import Coverage, Gap

pytestmark = pytest.mark.slow

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
PAST = now().replace(minute=59, second=0) - timedelta(hours=3)

PATHS = {
    "live": "/",
    "everything": "/?types=all&window=6h",
    "unusual": "/?order=unusual",
    "page": "/page?title=Ada+Lovelace",
    "unmatched": "/?namespace=6",
    "404": "/nothing-here",
    "400": "/?window=9y",
}


@pytest.fixture(scope="module")
def starting_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWeb]:
    """Nothing has been committed yet, not even the folder exists."""
    with RunningWeb(tmp_path_factory.mktemp("starting")) as web:
        yield web


@pytest.fixture(scope="module")
def stale_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWeb]:
    folder: Path = tmp_path_factory.mktemp("stale")
    committed = CommittedChanges(folder / "data")
    committed.commit_table(changes_table(some_changes()), at=time.time() - 60)
    with RunningWeb(folder) as web:
        yield web


@pytest.fixture(scope="module")
def counting_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningWeb, CommittedChanges]]:
    """It has counted for 20 minutes, not all of them."""
    folder: Path = tmp_path_factory.mktemp("unknown")
    minute = timedelta(minutes=1)
    gaps = Gap(None, now() - 20 * minute), Gap(now() - 12 * minute, now() - 6 * minute)
    committed = CommittedChanges(folder / "data")
    committed.commit(*some_changes(), covered=Coverage(now(), gaps))
    with RunningWeb(folder) as web:
        yield web, committed


@pytest.fixture
def unknown_web(counting_web: tuple[RunningWeb, CommittedChanges]) -> RunningWeb:
    """The same, and fresh."""
    web, committed = counting_web
    committed.commit(covered=Coverage(now()))
    return web


@pytest.fixture(scope="module")
def past_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWeb]:
    """A closed hour, some hours ago, and what was committed just now."""
    folder: Path = tmp_path_factory.mktemp("past")
    committed = CommittedChanges(folder / "data")
    hour = PAST.replace(minute=0)
    early = (replace(change, event_time=change.event_time + (PAST - now())) for change in some_changes())
    committed.close_hour(hour, [change for change in early if change.event_time >= hour])
    committed.commit(*some_changes(), covered=Coverage(now()))
    with RunningWeb(folder) as web:
        yield web


def look_at(watched: Watched, name: str, scheme: str) -> None:
    """Pictures at 390 and 1280 px, nothing wider than the window at 360 and 2560 px, axe on both layouts.

    What is dark differs in its colors, so axe looks at those alone.
    """
    rules = ("color-contrast", "link-in-text-block") if scheme == "dark" else ()
    for width in (360, 390, 1280, 2560):
        watched.page.set_viewport_size({"width": width, "height": 900})
        assert watched.page.evaluate("document.documentElement.scrollWidth") == width
        if width in (390, 1280):
            watched.screenshot(f"{name}-{scheme}-{width}")
            assert watched.violations(*rules) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PATHS)
def test_pages(web: RunningWeb, tab: OpenTab, name: str, scheme: str) -> None:
    if name == "unusual":
        counts: Counts = {("enwiki", "Kyiv"): 1000, ("enwiki", "Ada Lovelace"): 4}
        write_baseline(web.data_dir, counts, Covered(now() - WEEK, now() - HOUR, 500_000.0))
    watched = tab(web, color_scheme=scheme, reduced_motion="reduce")
    watched.open(PATHS[name])
    look_at(watched, name, scheme)
    if name in ("400", "404"):
        watched.expect_failed_requests()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["starting", "stale", "unknown", "past"])
def test_states(request: pytest.FixtureRequest, tab: OpenTab, state: str, scheme: str) -> None:
    web: RunningWeb = request.getfixturevalue(f"{state}_web")
    watched = tab(web, color_scheme=scheme, reduced_motion="reduce")
    page = watched.open(f"/?to={PAST:%Y-%m-%dT%H:%M:%SZ}" if state == "past" else "/")
    told = "live" if state == "unknown" else state
    expect(page.locator("#freshness")).to_have_attribute("data-state", told)
    look_at(watched, state, scheme)


def test_the_mark_behind_a_long_name_is_whole(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    long = "A bot with a name that is longer than the list of the editors is wide"
    committed.commit(Change(now(), title="Named", user=long, bot=True))
    page = tab(web).open("/page?title=Named")
    mark = page.locator("#editors .mark")
    expect(mark).to_have_text("bot")
    for width in (390, 1280, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert mark.evaluate(
            "mark => mark.getBoundingClientRect().right <= mark.closest('th').getBoundingClientRect().right"
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_unreachable(web: RunningWeb, tab: OpenTab, scheme: str) -> None:
    watched = tab(web, color_scheme=scheme, reduced_motion="reduce")
    page = watched.open()
    page.context.set_offline(True)
    expect(page.locator("#unreachable")).to_be_visible()
    look_at(watched, "unreachable", scheme)
    watched.expect_failed_requests()
