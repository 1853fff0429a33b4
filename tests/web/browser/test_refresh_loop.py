"""The page goes on refreshing itself in browsers that lack something, and says so where it has stopped."""

import pytest
from playwright.sync_api import expect

from web.browser.conftest import OpenTab
from web.browser.running_web import RunningWeb
from web.committed import Change, CommittedChanges, now

pytestmark = pytest.mark.slow

WITHOUT_ABORT_SIGNALS = "delete AbortSignal.any; delete AbortSignal.timeout;"
UNANSWERED = "() => { window.realFetch = window.fetch; window.fetch = () => new Promise(() => {}); }"
ANSWERED = "() => { window.fetch = window.realFetch; }"


def test_a_browser_without_abort_signals_of_today_refreshes(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    """Safari before 17.4, Firefox before 124, TV sets."""
    watched = tab(web)
    watched.page.add_init_script(WITHOUT_ABORT_SIGNALS)
    page = watched.open()
    assert page.evaluate("AbortSignal.any === undefined")
    for number in (1, 2):
        committed.commit(Change(now(), title=f"Older browser {number}"))
        expect(page.locator("#titles")).to_contain_text(f"Older browser {number}")


def test_a_loop_that_hangs_is_told_and_started_again(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    """A request that neither ends nor can be aborted."""
    page = tab(web).open()
    page.evaluate("window.notReloaded = true")
    page.evaluate(UNANSWERED)
    committed.commit(Change(now(), title="Tick", type="log"))
    expect(page.locator("#unreachable")).to_contain_text("has stopped refreshing itself")
    page.evaluate(ANSWERED)
    committed.commit(Change(now(), title="After the hang"))
    expect(page.locator("#titles")).to_contain_text("After the hang")
    expect(page.locator("#unreachable")).to_be_hidden()
    assert page.evaluate("window.notReloaded")


def test_where_the_scripts_do_not_run_the_page_is_loaded_again_and_again(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    """As in a browser that can't read their syntax: the watchdog's it can."""
    watched = tab(web)
    watched.page.route("**/static/refresh.js", lambda route: route.abort())
    page = watched.open()
    committed.commit(Change(now(), title="By reloading"))
    expect(page.locator("#titles")).to_contain_text("By reloading")
    watched.expect_failed_requests()
