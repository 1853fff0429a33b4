"""The newest changes below a title: the first ones' come with the page, the others' when they are wanted."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from web.browser.conftest import IMAGE, SCRIPT, OpenTab
from web.browser.running_web import RunningWeb
from web.committed import Change, CommittedChanges, now

pytestmark = pytest.mark.slow


def row(page: Page, title: str) -> Locator:
    return page.locator("#titles tr", has_text=title)


def changes(title: str, count: int, namespace: int, **named: Any) -> list[Change]:
    """Each test has a namespace of its own, in which its titles are the first."""
    return [Change(now(), title, namespace=namespace, **named) for _ in range(count)]


def some_titles(committed: CommittedChanges, namespace: int) -> None:
    for place, title in enumerate(("Oslo", "Turin", "Riga", "Quito", "Lima")):
        committed.commit(*changes(title, 20 - 4 * place, namespace))


def test_without_scripts_those_of_the_first_titles_are_there_as_text(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    committed.commit(*changes("Reasons", 30, 70, user=IMAGE, comment=SCRIPT, length_new=5))
    options: dict[str, Any] = {"java_script_enabled": False}
    page = tab(web, **options).open("/?namespace=70")
    items = row(page, "Reasons").locator(".reasons li")
    expect(items).to_have_count(3)
    expect(items.first.locator("q")).to_have_text(SCRIPT)
    expect(items.first.locator(".who")).to_have_text(IMAGE)
    expect(items.first.locator(".size")).to_have_text("−95")
    expect(items.first.get_by_role("link")).to_have_attribute("href", re.compile("diff="))
    expect(page.locator("main img, main script")).to_have_count(0)


def test_the_first_three_are_open_and_others_are_asked_for_when_they_are_opened(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    some_titles(committed, 71)
    committed.commit(*changes("Quito", 1, 71, user=IMAGE, comment=SCRIPT))
    watched = tab(web, reduced_motion="reduce")  # axe would take what appears for pale
    page = watched.open("/?namespace=71")
    expect(page.locator("#titles tr")).to_have_count(5)
    opened = page.locator("#titles details").evaluate_all("all => all.map((details) => details.open)")
    assert opened == [True, True, True, False, False]
    quito = row(page, "Quito")
    assert asked_of(watched.requests) == 0
    quito.locator("summary").press("Enter")
    expect(quito.locator(".reasons li")).to_have_count(3)
    expect(quito.locator(".reasons q").first).to_have_text(SCRIPT)
    expect(quito.locator(".reasons .who").first).to_have_text(IMAGE)
    expect(page.locator("main img, main script")).to_have_count(0)
    assert watched.violations() == []


def asked_of(requests: list[Any]) -> int:
    return sum("/api/v1/changes?" in request.url for request in requests)


def test_what_was_opened_and_closed_survives_updates_and_asks_when_its_title_changes(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    some_titles(committed, 72)
    watched = tab(web, viewport={"width": 1280, "height": 500})
    page = watched.open("/?namespace=72")
    oslo, quito = row(page, "Oslo"), row(page, "Quito")
    oslo.locator("summary").click()
    quito.locator("summary").click()
    expect(quito.locator(".reasons li")).to_have_count(3)
    asked = asked_of(watched.requests)
    page.evaluate("scrollTo(0, 250)")
    committed.commit(*changes("Oslo", 1, 72))
    expect(oslo.locator(".count")).to_have_text("21")
    expect(oslo.locator("details")).not_to_have_attribute("open", "")
    expect(quito.locator("details")).to_have_attribute("open", "")
    expect(quito.locator(".reasons li")).to_have_count(3)
    assert page.evaluate("scrollY") == 250
    assert (
        asked_of(watched.requests) == asked
    )  # nothing of what is open has changed, what is closed asks nothing
    committed.commit(*changes("Quito", 1, 72, comment="A newer reason"))
    expect(quito.locator(".reasons q").first).to_have_text("A newer reason")
    assert asked_of(watched.requests) == asked + 1


def test_who_leaves_the_first_three_closes_unless_a_person_opened_it(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    committed.commit(*(each for title in "PQRS" for each in changes(f"Leaves {title}", 90 - ord(title), 73)))
    page = tab(web).open("/?namespace=73")
    expect(page.locator("#titles details[open]")).to_have_count(3)
    committed.commit(*changes("Leaves S", 60, 73))
    expect(page.locator("#titles tr").first.locator(".title")).to_have_text("Leaves S")
    expect(page.locator("#titles details[open]")).to_have_count(3)
    expect(page.locator("#titles tr").first.locator(".reasons li")).to_have_count(3)
