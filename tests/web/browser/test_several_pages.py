"""A page whose requests go to two services in turns, of which one or the other is killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from web.balanced import Balanced
from web.browser.conftest import OpenTab
from web.browser.running_web import RunningWeb
from web.committed import Change, CommittedChanges, now

pytestmark = pytest.mark.slow

Both = tuple[RunningWeb, RunningWeb]


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    data = tmp_path / "data"
    with (
        RunningWeb(tmp_path / "one", data_dir=data) as one,
        RunningWeb(tmp_path / "other", data_dir=data) as other,
    ):
        yield one, other


@pytest.fixture
def balanced(both: Both, tmp_path: Path) -> Iterator[Balanced]:
    proxy = Balanced(tmp_path, both)
    yield proxy
    proxy.stop()


def test_the_page_goes_on_whichever_is_killed(both: Both, balanced: Balanced, tab: OpenTab) -> None:
    committed = CommittedChanges(both[0].data_dir)
    committed.commit(Change(now(), title="The first"))
    for each in both:
        each.wait_until_ready()
    watched = tab(balanced)
    page = watched.open()
    page.evaluate("window.notReloaded = true")
    expect(page.locator("#titles")).to_contain_text("The first")
    for number, each in enumerate(both):
        each.stop()
        committed.commit(Change(now(), title=f"Without {number}"))
        expect(page.locator("#titles")).to_contain_text(f"Without {number}")
        each.start()
        # On a busy machine the last one is old by now, and nothing would become fresh.
        committed.commit(Change(now(), title=f"With {number}"))
        each.wait_until_ready()
    assert page.evaluate("window.notReloaded")
    watched.expect_failed_requests()
