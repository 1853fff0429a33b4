"""A past moment in a browser: how a person gets there and back, with scripts and without."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from harness.processes import wait_until
from web.browser.conftest import OpenTab
from web.browser.running_web import RunningWeb
from web.browser.served_app import ServedApp
from web.committed import Change, CommittedChanges, now
from web.data.held import HOUR
from wiki_common.volume import hour_of

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningWeb, CommittedChanges]]:
    """Two closed hours, one after the other, in which other titles were changed than now."""
    folder = tmp_path_factory.mktemp("past")
    committed = CommittedChanges(folder / "data")
    for number, title in enumerate(("Early", "Late")):
        hour = hour_of(now()) - (30 - number) * HOUR
        changes = [Change(hour + minutes * MINUTE, title) for minutes in range(60)]
        committed.close_hour(hour, [*changes, Change(hour + 30 * MINUTE, f"{title} too")])
    committed.commit(Change(now(), "Now"))
    with RunningWeb(folder) as web:
        yield web, committed


@pytest.fixture
def web(grown: tuple[RunningWeb, CommittedChanges]) -> RunningWeb:
    web, committed = grown
    committed.commit(Change(now(), "Now"))
    web.wait_until_ready()
    return web


@pytest.fixture
def then() -> datetime:
    """In the first of the two hours."""
    return hour_of(now()) - 30 * HOUR + 40 * MINUTE


def go_to(page: Page, moment: datetime) -> None:
    """By the field that hides until it is wanted."""
    field = page.get_by_label("Moment (UTC)")
    if not field.is_visible():
        page.locator(".moment summary").click()
    field.fill(f"{moment:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Go", exact=True).click()


def titles(page: Page) -> Any:
    return expect(page.locator("#titles tr .title"))


def word(page: Page) -> Any:
    return expect(page.locator("#freshness .word"))


def test_a_chosen_moment_is_shown_and_linked_and_back_is_live(
    web: RunningWeb, tab: OpenTab, then: datetime
) -> None:
    page = tab(web).open()
    word(page).to_have_text("Live")
    expect(page.get_by_label("Moment (UTC)")).to_be_hidden()
    page.evaluate("window.notReloaded = true")
    go_to(page, then)
    word(page).to_have_text("Past")
    titles(page).to_have_text(["Early", "Early too"])
    expect(page.locator("#as-of")).to_have_text(f"{then:%Y-%m-%d %H:%M:%S}")
    expect(page.locator("#announcement")).to_have_text("The page shows a past moment.")
    expect(page).to_have_url(f"{web.url}/?to={then:%Y-%m-%dT%H}%3A{then:%M}%3A00Z")
    assert page.evaluate("window.notReloaded")
    page.go_back()
    word(page).to_have_text("Live")
    expect(page.locator("#titles")).to_contain_text("Now")
    page.go_forward()
    titles(page).to_have_text(["Early", "Early too"])
    page.get_by_role("link", name="Back to live").click()
    word(page).to_have_text("Live")
    expect(page).to_have_url(f"{web.url}/")


def test_a_past_moment_asks_for_nothing_and_holds_no_stream(
    web: RunningWeb, grown: tuple[RunningWeb, CommittedChanges], tab: OpenTab, then: datetime
) -> None:
    watched = tab(web)
    page = watched.open(f"/?to={then:%Y-%m-%dT%H:%M:%S}Z")
    titles(page).to_have_text(["Early", "Early too"])
    expect(page.locator("html[data-refresh-due='Infinity']")).to_have_count(1)
    asked = len(watched.requests)
    grown[1].commit(Change(now(), "Now"))
    page.wait_for_timeout(3000)  # three periods: only time shows that nothing is asked
    assert len(watched.requests) == asked
    assert not [request for request in watched.requests if request.url.endswith("/stream")]
    with page.expect_request(re.compile("/stream$")):
        page.evaluate("history.pushState(null, '', './'); dispatchEvent(new PopStateEvent('popstate'))")
    word(page).to_have_text("Live")
    go_to(page, then)
    titles(page).to_have_text(["Early", "Early too"])
    grown[1].commit(Change(now(), "Now"))
    asked = len(watched.requests)
    page.wait_for_timeout(3000)
    assert len(watched.requests) == asked


def test_filters_and_the_way_to_a_title_stay_at_the_moment(
    web: RunningWeb, tab: OpenTab, then: datetime
) -> None:
    page = tab(web).open(f"/?to={then:%Y-%m-%dT%H:%M:%S}Z")
    page.locator("#filters").get_by_label("6 h").click()
    expect(page).to_have_url(re.compile(r"\?window=6h&to="))
    word(page).to_have_text("Past")
    expect(page.locator("#titles tr").first.locator(".count")).to_have_text("41")
    page.locator("#titles tr").first.get_by_role("link", name="Why").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Early")
    word(page).to_have_text("Past")
    expect(page.locator("#changes tr")).to_have_count(41)
    page.get_by_role("link", name="Back to live").click()
    expect(page).to_have_url(f"{web.url}/page?title=Early&window=6h")
    word(page).to_have_text("Live")


def test_without_scripts_a_moment_is_reached_and_left(web: RunningWeb, tab: OpenTab, then: datetime) -> None:
    options: dict[str, Any] = {"java_script_enabled": False}
    page = tab(web, **options).open()
    page.get_by_role("link", name="Stop refreshing").click()
    go_to(page, then)
    page.wait_for_url(re.compile(r"[?&]to="))
    word(page).to_have_text("Past")
    titles(page).to_have_text(["Early", "Early too"])
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)
    page.get_by_role("link", name="Back to live").click()
    expect(page.locator("#titles")).to_contain_text("Now")


def test_what_is_typed_stays_while_the_page_is_updated(
    web: RunningWeb, grown: tuple[RunningWeb, CommittedChanges], tab: OpenTab, then: datetime
) -> None:
    page = tab(web).open()
    page.locator(".moment summary").click()
    typed = f"{then:%Y-%m-%dT%H:%M}"
    page.get_by_label("Moment (UTC)").fill(typed)
    grown[1].commit(Change(now(), "While typing"))
    expect(page.locator("#titles")).to_contain_text("While typing")
    expect(page.get_by_label("Moment (UTC)")).to_have_value(typed)


def test_a_moment_that_is_not_kept_is_told_with_those_that_are(web: RunningWeb, tab: OpenTab) -> None:
    watched = tab(web)
    page = watched.open()
    go_to(page, now() + 48 * HOUR)
    expect(page.get_by_role("heading", level=1)).to_have_text("This address can’t be understood")
    expect(page.locator("main p").first).to_have_text(re.compile(r"^to: .* is not a time after \d{4}-"))
    watched.expect_failed_requests()


def test_the_field_takes_no_moment_before_what_is_kept(web: RunningWeb, tab: OpenTab, then: datetime) -> None:
    page = tab(web).open()
    first = hour_of(then)
    field = page.get_by_label("Moment (UTC)")
    expect(field).to_have_attribute("min", f"{first:%Y-%m-%dT%H}:00:01")
    go_to(page, first)
    assert field.evaluate("field => field.validity.rangeUnderflow && document.activeElement === field")
    word(page).to_have_text("Live")
    go_to(page, first + MINUTE)
    word(page).to_have_text("Past")


def test_an_hour_is_chosen_on_the_time_line_and_a_whole_day_by_its_name(
    web: RunningWeb, tab: OpenTab, then: datetime
) -> None:
    page = tab(web).open()
    page.locator(".moment summary").click()
    expect(page.locator(".hours")).to_have_attribute("aria-label", re.compile("^Changes per hour from"))
    hour = page.get_by_role("slider", name="Moment, by the hour")
    expect(hour).to_have_value("2")
    hour.focus()
    page.keyboard.press("Home")
    end = hour_of(then) + HOUR
    expect(hour).to_have_attribute("aria-valuetext", f"{end:%Y-%m-%d %H:00:00} UTC")
    titles(page).to_have_text(["Early", "Late"])
    word(page).to_have_text("Past")
    expect(page.get_by_label("Moment (UTC)")).to_have_value(re.compile(f"^{end:%Y-%m-%dT%H:00}"))
    page.keyboard.press("End")
    titles(page).to_have_text(["Late"])
    expect(page.locator(".hours .at")).to_have_count(1)
    for day in page.locator(".days a").all():
        assert "window=24h" in (day.get_attribute("href") or "")


def shown_seconds(page: Page) -> float:
    """Of the moment that the page shows, since the epoch."""
    told = page.locator("#as-of").get_attribute("datetime") or ""
    return datetime.fromisoformat(told).timestamp()


def stands(page: Page) -> bool:
    """Whether its moment is the same after the time of two steps."""
    before = shown_seconds(page)
    page.wait_for_timeout(2500)
    return shown_seconds(page) == before


def play(page: Page, rate: int) -> Any:
    return page.get_by_role("button", name=f"Play {rate}×", exact=True)


@pytest.mark.parametrize("rate", [1, 10, 60])
def test_a_moment_moves_on_by_itself_as_fast_as_it_is_told(
    web: RunningWeb, tab: OpenTab, then: datetime, rate: int
) -> None:
    page = tab(web).open(f"/?to={then:%Y-%m-%dT%H:%M:%S}Z")
    page.evaluate("window.notReloaded = true")
    entries = page.evaluate("history.length")
    began = time.monotonic()
    play(page, rate).click()
    expect(play(page, rate)).to_have_attribute("aria-pressed", "true")
    late = then.timestamp() + 3 * rate
    wait_until(lambda: shown_seconds(page) >= late, timeout=60, what="three steps were made", every=0.1)
    passed, moved = time.monotonic() - began, shown_seconds(page) - then.timestamp()
    assert 2 * rate < moved <= (passed + 1) * rate
    play(page, rate).click()
    expect(play(page, rate)).to_have_attribute("aria-pressed", "false")
    paused = time.monotonic() - began
    wait_until(lambda: stands(page), timeout=20, what="no step is made after the answer to the last one")
    stood = shown_seconds(page)
    assert stood - then.timestamp() <= (paused + 1) * rate
    assert f"to={datetime.fromtimestamp(stood, UTC):%Y-%m-%dT%H%%3A%M%%3A%S}Z" in page.url
    assert page.evaluate("history.length") == entries
    assert page.evaluate("window.notReloaded")


def test_what_has_come_to_now_is_live(web: RunningWeb, tab: OpenTab) -> None:
    page = tab(web).open(f"/?window=1h&to={now() - 3 * MINUTE:%Y-%m-%dT%H:%M:%S}Z")
    word(page).to_have_text("Past")
    play(page, 60).click()
    word(page).to_have_text("Live")
    expect(page).to_have_url(f"{web.url}/?window=1h")
    expect(page.locator("[data-rate]")).to_have_count(0)


def test_choosing_something_else_ends_playing(web: RunningWeb, tab: OpenTab, then: datetime) -> None:
    page = tab(web).open(f"/?to={then:%Y-%m-%dT%H:%M:%S}Z")
    play(page, 10).click()
    go_to(page, then + 10 * MINUTE)
    expect(play(page, 10)).to_have_attribute("aria-pressed", "false")
    chosen = (then + 10 * MINUTE).timestamp()
    wait_until(lambda: shown_seconds(page) == chosen, timeout=60, what="what was chosen is shown")


def test_while_others_look_at_the_past_it_says_so_and_tries_again(
    web: RunningWeb, tab: OpenTab, then: datetime
) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=503, headers={"X-Wiki-Live-Top": "", "Retry-After": "2"}, body="busy")

    watched = tab(web)
    page = watched.open()
    word(page).to_have_text("Live")
    page.route(re.compile("[?]to="), refuse)
    go_to(page, then)
    expect(page.locator("#unreachable")).to_contain_text("The server is busy since")
    expect(page.locator("#announcement")).to_have_text("The server is busy. What is shown is older.")
    page.unroute(re.compile("[?]to="), refuse)
    word(page).to_have_text("Past")
    titles(page).to_have_text(["Early", "Early too"])
    expect(page.locator("#unreachable")).to_be_hidden()
    watched.expect_failed_requests()


def test_a_moment_asked_for_while_the_service_starts_is_shown_once_it_has_started(
    tmp_path: Path, tab: OpenTab, then: datetime
) -> None:
    committed = CommittedChanges(tmp_path / "data")
    committed.close_hour(hour_of(then), [Change(then, "Early")])
    committed.commit(Change(now(), "Now"))
    app = ServedApp(committed.data_dir)
    try:
        page = tab(app).open(f"/?to={then:%Y-%m-%dT%H:%M:%S}Z")
        word(page).to_have_text("Starting")
        app.engine.go.set()
        word(page).to_have_text("Past")
        titles(page).to_have_text(["Early"])
        expect(page.locator("html[data-refresh-due='Infinity']")).to_have_count(1)
    finally:
        app.stop()
