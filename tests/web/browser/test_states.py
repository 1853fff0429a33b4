"""What the page says while it can't show fresh rows, and how it comes out of that by itself."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from web.browser.conftest import OpenTab
from web.browser.running_web import RunningWeb
from web.browser.served_app import ServedApp
from web.committed import Change, CommittedChanges, changes_table, now
from wiki_common.coverage import Coverage, Gap
from wiki_common.health.server import health_text


@pytest.fixture
def own(tmp_path: Path) -> CommittedChanges:
    """The changes of a service of the test's own."""
    return CommittedChanges(tmp_path / "data")


@pytest.fixture
def own_web(own: CommittedChanges, tmp_path: Path) -> Iterator[RunningWeb]:
    with RunningWeb(tmp_path) as web:
        yield web


@pytest.fixture
def served(own: CommittedChanges) -> Iterator[ServedApp]:
    """Its loads wait for `served.engine.go`."""
    hour = now().replace(minute=0, second=0) - timedelta(hours=2)
    own.close_hour(hour, [Change(hour, title="An hour")])
    own.commit(Change(now(), title="Just now"))
    app = ServedApp(own.data_dir)
    yield app
    app.stop()


def test_before_the_first_commit_it_says_what_to_check_then_fills_itself(
    own: CommittedChanges, own_web: RunningWeb, tab: OpenTab
) -> None:
    page = tab(own_web).open()
    expect(page.locator("#freshness .word")).to_have_text("Waiting")
    expect(page.locator("#panel")).to_contain_text("producer")
    expect(page.locator("#panel")).to_contain_text("consumer")
    own.commit_table(changes_table([]))
    expect(page.locator("#panel h2")).to_have_text("No change has been stored yet")
    own.commit(Change(now(), title="The first"))
    expect(page.locator("#titles tr .title")).to_have_text(["The first"])
    expect(page.locator("#freshness .word")).to_have_text("Live")


def test_a_start_shows_its_progress(served: ServedApp, tab: OpenTab) -> None:
    watched = tab(served)
    page = watched.open()
    expect(page.locator("#freshness .word")).to_have_text("Starting")
    expect(page.locator("#panel")).to_contain_text("1 of 2 files")
    expect(page.get_by_role("progressbar", name="Files read")).to_have_attribute("value", "1")
    served.engine.go.set()
    expect(page.locator("#titles tr .title")).to_have_text(["Just now"])
    watched.expect_failed_requests()  # the server of this app has no streams


def test_it_turns_stale_while_it_is_looked_at_and_live_again(
    own: CommittedChanges, own_web: RunningWeb, tab: OpenTab
) -> None:
    page = tab(own_web).open()
    # Committed 20 s ago: the first look finds it fresh, a later one not.
    own.commit_table(
        changes_table([Change(now() - timedelta(seconds=21), title="Last words")]), at=time.time() - 20
    )
    expect(page.locator("#freshness .word")).to_have_text("Live")
    expect(page.locator("#freshness .word")).to_have_text("Stale")
    expect(page.locator("#freshness .reason")).to_contain_text(
        re.compile(r"Nothing is known after \d\d:\d\d:\d\d")
    )
    expect(page.locator("#announcement")).to_have_text("The page is stale: nothing new arrives.")
    expect(page.locator("#titles tr .title")).to_have_text(["Last words"])
    own.commit(Change(now(), title="Last words"))
    expect(page.locator("#freshness .word")).to_have_text("Live")
    expect(page.locator("#announcement")).to_have_text("The page is live.")


def test_a_wiki_whose_last_change_was_minutes_ago_is_live_while_the_stream_is_read(
    own: CommittedChanges, own_web: RunningWeb, tab: OpenTab
) -> None:
    """Nothing but heartbeats; without them it would become stale after five seconds."""
    page = tab(own_web).open()
    rows = changes_table([Change(now() - timedelta(minutes=5), title="Quiet")])
    own.commit_table(rows, at=time.time() - 300, covered=Coverage(now() - timedelta(seconds=25)))
    own.commit(covered=Coverage(datetime.now(UTC)))
    expect(page.locator("#titles tr .title")).to_have_text(["Quiet"])
    began, states = time.monotonic(), set()
    while time.monotonic() - began < 8:
        own.commit(covered=Coverage(datetime.now(UTC)))
        page.wait_for_timeout(500)
        states.add(page.locator("#freshness").get_attribute("data-state"))
    assert states == {"live"}
    expect(page.locator("#titles tr .title")).to_have_text(["Quiet"])


def test_at_a_first_start_the_chart_draws_no_zeros_for_what_nobody_watched(
    own: CommittedChanges, own_web: RunningWeb, tab: OpenTab
) -> None:
    began = now() - timedelta(minutes=4)
    own.commit(Change(now(), title="A"), covered=Coverage(now(), (Gap(None, began),)))
    page = tab(own_web).open()
    expect(page.locator(".coverage")).to_have_text([f"counting since {began:%H:%M}"])
    expect(page.locator(".plot .unknown text")).to_have_text("not known")
    page.locator(".as-table summary").click()
    expect(page.locator("#buckets tr").first).to_contain_text("not known")
    page.locator(".plot").hover(position={"x": 5, "y": 5})
    expect(page.locator("#readout")).to_have_text(re.compile(r"until \d\d:\d\d:\d\d: not known"))


def test_an_unreadable_commit_is_the_reason_that_is_told_until_it_can_be_read(
    own: CommittedChanges, own_web: RunningWeb, tab: OpenTab
) -> None:
    page = tab(own_web).open()
    own.commit_table(
        changes_table([Change(now() - timedelta(seconds=61), title="Whole")]), at=time.time() - 60
    )
    expect(page.locator("#titles tr .title")).to_have_text(["Whole"])
    own.tear(Change(now()))
    expect(page.locator("#freshness .reason")).to_contain_text("can’t be read")
    expect(page.locator("#titles tr .title")).to_have_text(["Whole"])
    assert own_web.get("/healthz") == health_text([]).encode()
    own.commit(Change(now(), title="Mended"))
    expect(page.locator("#titles")).to_contain_text("Mended")
    expect(page.locator("#freshness .reason")).to_have_count(0)
    own_web.wait_until_ready()


def test_without_the_server_the_rows_stay_and_it_tries_less_and_less_often(
    own: CommittedChanges, own_web: RunningWeb, tab: OpenTab
) -> None:
    watched = tab(own_web)
    own.commit(Change(now(), title="Before"))
    own_web.wait_until_ready()
    page = watched.open()
    expect(page.locator("#announcement")).to_have_attribute("data-state", "live")
    own_web.stop()
    notice = page.locator("#unreachable")
    expect(notice).to_contain_text(re.compile(r"can’t be reached since \d\d:\d\d:\d\d UTC"))
    expect(page.locator("#titles tr .title")).to_have_text(["Before"])
    expect(page.locator("#announcement")).to_contain_text("can’t be reached")
    # The page asks every second here; its third wait is four times as long, a fifth more or less.
    expect(notice).to_contain_text(re.compile("the next try is in [3-5] s"))
    own_web.start()
    expect(notice).to_be_hidden()
    own.commit(Change(now(), title="After"))
    expect(page.locator("#titles")).to_contain_text("After")
    watched.expect_failed_requests()


def test_an_error_inside_is_a_page_that_tells_no_details(served: ServedApp, tab: OpenTab) -> None:
    def broken() -> str:
        raise RuntimeError("a secret")

    served.app.view_functions["pages.top"] = broken
    watched = tab(served)
    page = watched.open()
    expect(page.get_by_role("heading", level=1)).to_have_text("Something went wrong")
    expect(page.locator("body")).not_to_contain_text("secret")
    assert watched.violations() == []
    watched.screenshot("500")
    watched.expect_failed_requests()


def test_an_unknown_address_leads_back(web: RunningWeb, tab: OpenTab) -> None:
    watched = tab(web)
    page = watched.open("/nothing-here")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    page.get_by_role("link", name="Go to the live top").click()
    expect(page.locator("#titles")).to_be_visible()
    watched.expect_failed_requests()


@pytest.mark.parametrize("address", ["/?window=9y", "/page", "/page?title=A&on=a,b"])
def test_a_wrong_address_is_told_by_the_parameters_name(web: RunningWeb, tab: OpenTab, address: str) -> None:
    watched = tab(web)
    page = watched.open(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("This address can’t be understood")
    expect(page.locator("main p").first).to_have_text(re.compile("^(window|title|on)\\b"))
    watched.expect_failed_requests()
