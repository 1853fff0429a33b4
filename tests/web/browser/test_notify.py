"""Notifications: one per title and burst, only once wanted, also of a page that nobody looks at."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from web.browser.conftest import OpenTab
from web.browser.running_web import RunningWeb
from web.browser.watched import Watched
from web.committed import Change, CommittedChanges, now

pytestmark = pytest.mark.slow

# Chromium without a screen shows none: they are written down, for all tabs, and the viewer answers at once.
RECORDER = """
window.Notification = class {
  static permission = localStorage.getItem("permission") ?? "default";
  static async requestPermission() {
    localStorage.setItem("asked", "yes");
    return (this.permission = localStorage.getItem("permission") ?? "%s");
  }
  constructor(title, { body, tag }) {
    const told = JSON.parse(localStorage.getItem("told") ?? "[]");
    localStorage.setItem("told", JSON.stringify([...told, [title, body, tag]]));
  }
};
"""


def changes(title: str, count: int) -> list[Change]:
    return [Change(now() - timedelta(seconds=place), title) for place in range(count)]


def told(page: Page) -> list[list[str]]:
    """Title and words of each notification so far."""
    found: list[list[str]] = page.evaluate("JSON.parse(localStorage.getItem('told') ?? '[]')")
    return [each[:2] for each in found]


def hide(page: Page) -> None:
    """As behind other tabs."""
    page.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", { value: true, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )


Recorded = Callable[..., Watched]


@pytest.fixture
def recorded(web: RunningWeb, tab: OpenTab) -> Recorded:
    """A tab whose viewer answers the browser's question so."""

    def open_tab(answer: str = "granted", path: str = "/", **options: str) -> Watched:
        watched = tab(web, **options)
        watched.page.context.add_init_script(RECORDER % answer)
        watched.open(path).locator("#notify summary").click()
        return watched

    return open_tab


def test_a_title_that_reaches_so_many_is_told_once_by_all_tabs_also_unseen_ones(
    recorded: Recorded, committed: CommittedChanges, web: RunningWeb
) -> None:
    page = recorded().page
    assert page.evaluate("localStorage.getItem('asked')") is None
    page.get_by_label("Changes of a title").fill("6")
    page.keyboard.press("Enter")
    expect(page.locator("#notify summary")).to_have_text("Notify: on")
    page.evaluate("localStorage.setItem('permission', 'granted')")
    other = page.context.new_page()
    other.goto(f"{web.url}/?window=1h")
    hide(page)
    hide(other)
    committed.commit(*changes("Reached", 6), *changes("Not yet", 5))
    for each in (page, other):
        expect(each.locator("#titles tr", has_text="Reached")).to_be_visible()
    committed.commit(*changes("Not yet", 1), *changes("Reached", 1))
    for each in (page, other):
        expect(each.locator("#titles tr", has_text="Not yet").locator(".count")).to_have_text("6")
    assert sorted(title for title, _ in told(page)) == ["Not yet", "Reached"]
    assert dict(told(page))["Reached"].startswith("6 changes in the last ")
    page.get_by_role("button", name="Stop telling me").click()
    expect(page.locator("#notify summary")).to_have_text("Notify")
    expect(other.locator("#notify summary")).to_have_text("Notify")


def test_a_chosen_title_is_told_of_when_it_is_changed_until_stopped(
    recorded: Recorded, committed: CommittedChanges
) -> None:
    watched = recorded(path="/page?title=Chosen&on=enwiki&window=1m")
    page = watched.page
    page.get_by_role("button", name="Tell me when it is changed").click()
    expect(page.locator("#notify summary")).to_have_text("Notify: on")
    committed.commit(*changes("Chosen", 1))
    expect(page.locator("#changes tr")).to_have_count(1)
    assert told(page) == [["Chosen", "1 change in the last 1 min"]]
    page.evaluate("localStorage.setItem('permission', 'granted')")
    page.goto("/")
    page.locator("#notify summary").click()
    page.get_by_role("button", name="Stop telling me of Chosen").click()
    expect(page.locator("#notify summary")).to_have_text("Notify")
    expect(page.locator("#notify summary")).to_be_focused()
    expect(page.locator("#notify li")).to_have_count(0)


def test_what_a_page_begins_with_is_not_told_nor_what_a_lower_number_adds(
    recorded: Recorded, committed: CommittedChanges
) -> None:
    page = recorded().page
    page.get_by_role("button", name="Tell me when a title").click()
    expect(page.locator("#notify summary")).to_have_text("Notify: on")
    page.evaluate("localStorage.setItem('permission', 'granted')")
    page.goto("/page?title=Away&on=enwiki")
    committed.commit(*changes("Away", 12), *changes("Fewer", 8))
    expect(page.locator("#changes tr")).to_have_count(12)
    page.goto("/")
    expect(page.locator("#notify summary")).to_have_text("Notify: on")
    page.locator("#notify summary").click()
    page.get_by_label("Changes of a title").fill("8")
    page.keyboard.press("Tab")
    committed.commit(*changes("Away", 1), *changes("Fewer", 1))
    expect(page.locator("#titles tr", has_text="Fewer").locator(".count")).to_have_text("9")
    assert told(page) == []


def test_the_number_is_of_the_window_that_is_chosen(recorded: Recorded) -> None:
    page = recorded().page
    expect(page.locator("#notify")).to_contain_text("Changes of a title, last 30 min")
    page.get_by_label("1 h", exact=True).check()
    expect(page.locator("#notify")).to_contain_text("Changes of a title, last 1 h")


def test_a_box_to_type_into_has_its_words_beside_it_on_a_telephone_too(recorded: Recorded) -> None:
    page = recorded().page
    page.set_viewport_size({"width": 360, "height": 800})
    for box in ("Who", "Past"):
        page.locator("#filters summary", has_text=box).click()
    for words in ("Changes of a title", "User, by the whole name", "Moment (UTC)"):
        size = page.locator(".field > span", has_text=words).bounding_box()
        assert size is not None
        assert size["width"] > 50
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_who_is_refused_is_told_why(recorded: Recorded) -> None:
    page = recorded("denied").page
    page.get_by_role("button", name="Tell me when a title").click()
    page.evaluate("Notification.permission = 'denied'")
    page.get_by_role("button", name="Tell me when a title").click()
    expect(page.locator("#notify [role=status]")).to_contain_text("refuses")
    expect(page.locator("#notify summary")).to_have_text("Notify")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("Object.defineProperty(window, 'isSecureContext', { value: false })", "https only"),
        ("delete window.Notification", "no notifications"),
        (
            "window.Notification = class { static permission = 'granted'; static requestPermission() "
            "{ return 'granted'; } constructor() { throw new TypeError('not here'); } }",
            "installed",
        ),
    ],
)
def test_where_a_browser_has_none_the_page_says_so(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab, script: str, words: str
) -> None:
    watched = tab(web)
    watched.page.add_init_script(script)
    page = watched.open()
    page.locator("#notify summary").click()
    page.get_by_role("button", name="Tell me when a title").click()
    committed.commit(*changes(f"Without {words}", 11))
    expect(page.locator("#notify [role=status]")).to_contain_text(words)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/page?title=Ada+Lovelace"])
def test_its_control_is_for_everybody(recorded: Recorded, path: str, scheme: str) -> None:
    watched = recorded(path=path, color_scheme=scheme, reduced_motion="reduce")
    page = watched.page
    page.locator("#notify button").first.click()
    page.evaluate(
        """() => {
          const key = Object.keys(localStorage).find((each) => each.startsWith("wiki-live-top"));
          const chosen = JSON.parse(localStorage.getItem(key));
          chosen.titles = [...chosen.titles, { wiki: "", title: "Long ".repeat(45) }];
          localStorage.setItem(key, JSON.stringify(chosen));
          dispatchEvent(new Event("storage"));
        }"""
    )
    for width in (360, 1280, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        if width == 2560:
            continue
        watched.screenshot(f"notify-{'page' if 'page' in path else 'top'}-{scheme}-{width}")
        assert watched.violations() == []
