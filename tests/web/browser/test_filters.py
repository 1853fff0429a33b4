"""Filters: they work at once, the address holds them, and they work without scripts."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from web.browser.conftest import OpenTab
from web.browser.running_web import RunningWeb
from web.committed import Change, CommittedChanges, now


def choose(page: Page, name: str) -> None:
    """A click on the middle of a choice; the radio button lies unseen over its label."""
    page.locator("#filters").get_by_label(name, exact=True).click()


@pytest.mark.parametrize(
    ("choice", "address", "comes", "goes"),
    [
        ("6 h", "window=6h", "Long ago", None),
        ("5 min", "window=5m", None, "مدينة الرياح: 3"),
        ("Everything", "types=all", "Category:Bridges", None),
        ("Only bots", "bots=only", None, "By hand"),
        ("No bots", "bots=exclude", "By hand", None),
    ],
)
def test_a_choice_works_at_once_and_is_in_the_address(
    web: RunningWeb, tab: OpenTab, choice: str, address: str, comes: str | None, goes: str | None
) -> None:
    page = tab(web).open()
    page.evaluate("window.notReloaded = true")
    choose(page, choice)
    expect(page).to_have_url(f"{web.url}/?{address}")
    expect(page.locator("main [aria-busy]")).to_have_count(0)
    for text, is_shown in ((comes, True), (goes, False)):
        if text is not None:
            title, _, count = text.partition(": ")
            row = page.locator("#titles tr", has_text=title)
            if count:
                expect(row.locator(".count")).not_to_have_text(count)
            else:
                expect(row).to_have_count(int(is_shown))
    assert page.evaluate("window.notReloaded")
    page.reload()
    expect(page.locator("#filters").get_by_label(choice, exact=True)).to_be_checked()


def test_a_namespace_is_chosen_by_its_name(web: RunningWeb, tab: OpenTab) -> None:
    page = tab(web).open()
    page.get_by_label("Namespace").select_option("Talk")
    expect(page).to_have_url(f"{web.url}/?namespace=1")
    expect(page.locator("#titles tr .title")).to_have_text(["Talk:Moon"])


def test_whose_changes_count_is_hidden_until_it_is_wanted(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    committed.commit(*(Change(now(), "By whom", name) for name in ("10.0.0.1", "~2026-1-1", "Zoë Q")))
    page = tab(web).open()
    expect(page.get_by_label("User, by the whole name")).to_be_hidden()
    page.locator(".by summary").press("Enter")
    page.get_by_label("Editors").select_option("Anonymous")
    expect(page).to_have_url(f"{web.url}/?editors=anonymous")
    expect(page.locator("#titles tr .count")).to_have_text(["2"])
    page.get_by_label("Editors").select_option("All editors")
    page.get_by_label("User, by the whole name").fill("Zoë_Q")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#titles tr .count")).to_have_text(["1"])
    expect(page.locator("footer")).to_contain_text("by Zoë Q")
    page.locator("#titles tr").get_by_role("link", name="Why").click()
    page.get_by_role("link", name="Live top of Wikipedia").click()
    expect(page).to_have_url(f"{web.url}/?user=Zo%C3%AB+Q")
    expect(page.get_by_label("User, by the whole name")).to_have_value("Zoë Q")


def test_back_shows_the_view_before(web: RunningWeb, tab: OpenTab) -> None:
    page = tab(web).open()
    choose(page, "Everything")
    expect(page.locator("#titles")).to_contain_text("Category:Bridges")
    page.go_back()
    expect(page).to_have_url(f"{web.url}/")
    expect(page.locator("#titles")).not_to_contain_text("Category:Bridges")
    expect(page.locator("#filters").get_by_label("Edits and new pages")).to_be_checked()


def test_choices_work_by_keyboard_and_keep_the_focus(web: RunningWeb, tab: OpenTab) -> None:
    page = tab(web).open()
    page.locator("#filters").get_by_label("30 min").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(f"{web.url}/?window=1h")
    expect(page.locator("#chart-heading")).to_contain_text("1 h")
    expect(page.locator("#filters").get_by_label("1 h", exact=True)).to_be_focused()


def test_an_address_with_values_that_no_choice_offers_is_shown_as_such(web: RunningWeb, tab: OpenTab) -> None:
    page = tab(web).open("/?window=45m&namespace=0,1&limit=3")
    expect(page.locator("#filters").get_by_label("45 min")).to_be_checked()
    expect(page.get_by_label("Namespace")).to_have_value("0,1")
    expect(page.locator("#titles tr")).to_have_count(3)


def test_csv_and_json_are_of_what_is_shown(web: RunningWeb, tab: OpenTab) -> None:
    page = tab(web).open("/?namespace=1")
    csv, json = (
        page.get_by_role("link", name=name).evaluate("link => link.href") for name in ("CSV", "JSON")
    )
    assert csv == f"{web.url}/api/v1/top?format=csv&namespace=1"
    assert json == f"{web.url}/api/v1/top?namespace=1"
    lines = (web.get(csv.removeprefix(web.url)) or b"").decode().splitlines()
    assert [",Talk:Moon," in line for line in lines] == [False, True]


def test_the_drill_down_keeps_the_filters_and_leads_back(web: RunningWeb, tab: OpenTab) -> None:
    page = tab(web).open("/?window=1h&bots=exclude")
    row = page.locator("#titles tr", has_text="Ada Lovelace")
    count = row.locator(".count").inner_text()
    row.get_by_role("link", name="Why").click()
    expect(page).to_have_url(f"{web.url}/page?title=Ada+Lovelace&window=1h&bots=exclude")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Lovelace")
    expect(page.locator(".totals dd").first).to_have_text(count)
    expect(page.locator("#changes tr")).to_have_count(int(count))
    expect(page.locator("#changes .links a").first).to_have_attribute("href", re.compile("diff="))
    expect(page.locator("#changes .mark", has_text="bot")).to_have_count(0)
    expect(page.locator("html[data-refresh-due]")).to_have_count(1)  # its scripts follow the form
    choose(page, "Only bots")
    expect(page.locator("#changes .mark", has_text="bot")).to_have_count(3)
    page.get_by_role("link", name="Live top of Wikipedia").click()
    expect(page).to_have_url(f"{web.url}/?window=1h&bots=only")


def test_without_scripts_it_works_and_refreshes_itself(web: RunningWeb, tab: OpenTab) -> None:
    options: dict[str, Any] = {"java_script_enabled": False}
    page = tab(web, **options).open()
    expect(page.locator("noscript meta, meta[http-equiv=refresh]").first).to_have_attribute("content", "1")
    expect(page.locator("#titles")).to_contain_text("Ada Lovelace")
    expect(page.locator("#feed button")).to_be_hidden()
    page.get_by_role("link", name="Stop refreshing").click()
    choose(page, "Only bots")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("bots=only"))
    expect(page.locator("#titles")).not_to_contain_text("By hand")
    page.get_by_role("link", name="Back to live").click()
    with page.expect_navigation():
        pass
    expect(page.locator("#titles")).to_contain_text("Ada Lovelace")
