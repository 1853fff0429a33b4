"""Several wikis in a browser: each row names its own, one can be shown alone, and then another."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from web.browser.conftest import OpenTab, some_changes
from web.browser.running_web import RunningWeb
from web.browser.test_looks import look_at
from web.committed import Change, CommittedChanges, now

pytestmark = pytest.mark.slow

LONG = "A title that is longer than its column " * 5


def german_changes() -> Iterator[Change]:
    for title, count in {"Berlin": 12, LONG: 8}.items():
        for second in range(count):
            yield Change(now() - timedelta(seconds=2 + second), title, wiki="dewiki")


@pytest.fixture(scope="module")
def grown_wikis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningWeb, CommittedChanges]]:
    folder = tmp_path_factory.mktemp("wikis")
    committed = CommittedChanges(folder / "data")
    committed.commit(*some_changes(), *german_changes(), Change(now(), "Q42", wiki="wikidatawiki"))
    # Without scripts a page that is loaded anew forgets what was chosen and not sent yet.
    with RunningWeb(folder, refresh_seconds=5) as web:
        yield web, committed


@pytest.fixture
def wikis(grown_wikis: tuple[RunningWeb, CommittedChanges]) -> RunningWeb:
    """A page with changes of three wikis, fresh: a change that isn't counted was committed just now."""
    web, committed = grown_wikis
    committed.commit(Change(now(), title="Tick", type="log"))
    web.wait_until_ready()
    return web


def shown_wikis(page: Page) -> set[str]:
    return set(page.locator("#titles td.on").all_inner_texts())


def test_each_row_names_its_wiki_however_long_its_title_is(wikis: RunningWeb, tab: OpenTab) -> None:
    page = tab(wikis).open()
    assert shown_wikis(page) == {"dewiki", "enwiki", "wikidatawiki"}
    name = page.locator("#titles tr", has_text=LONG.strip()).locator(".on a")
    for width in (360, 1280, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        name.scroll_into_view_if_needed()
        expect(name).to_be_in_viewport(ratio=0.9)
        box, row = name.bounding_box(), page.locator("#titles tr").first.bounding_box()
        assert box is not None
        assert row is not None
        assert box["x"] + box["width"] <= row["x"] + row["width"]


def test_a_wiki_is_chosen_and_then_another_and_all_again(wikis: RunningWeb, tab: OpenTab) -> None:
    page = tab(wikis).open()
    page.evaluate("window.notReloaded = true")
    for wiki, title in (("dewiki", "Berlin"), ("wikidatawiki", "Q42")):
        page.locator("select[name=wiki]").select_option(wiki)
        expect(page).to_have_url(f"{wikis.url}/?wiki={wiki}")
        expect(page.locator("#titles .title").first).to_have_text(title)
        expect(page.locator("#titles td.on")).to_have_count(0)
        expect(page.locator("footer")).to_contain_text(f"on {wiki}")
    page.locator("select[name=wiki]").select_option("All wikis")
    expect(page).to_have_url(f"{wikis.url}/")
    expect(page.locator("#titles td.on").first).to_have_text("dewiki")
    assert page.evaluate("window.notReloaded")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_rows_wiki_shows_that_one_alone(wikis: RunningWeb, tab: OpenTab, scripts: bool) -> None:
    page = tab(wikis, java_script_enabled=scripts).open("/?window=1h")
    page.locator("#titles tr", has_text="Berlin").get_by_role("link", name="dewiki").click()
    expect(page).to_have_url(f"{wikis.url}/?window=1h&wiki=dewiki")
    expect(page.locator("#titles tr")).to_have_count(2)
    expect(page.locator("select[name=wiki]")).to_have_value("dewiki")


def test_without_scripts_a_wiki_is_chosen_by_the_form(wikis: RunningWeb, tab: OpenTab) -> None:
    page = tab(wikis, java_script_enabled=False).open("/?wiki=dewiki")
    page.locator("select[name=wiki]").select_option("wikidatawiki")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#titles .title")).to_have_text(["Q42"])


def test_a_titles_page_is_of_its_wiki(wikis: RunningWeb, tab: OpenTab) -> None:
    page = tab(wikis).open()
    page.locator("#titles tr", has_text="Berlin").get_by_role("link", name="Why").click()
    expect(page).to_have_url(f"{wikis.url}/page?title=Berlin&on=dewiki")
    expect(page.locator("h1 .wiki")).to_have_text("dewiki")
    expect(page.locator("#changes tr")).to_have_count(12)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_looks(wikis: RunningWeb, tab: OpenTab, scheme: str) -> None:
    watched = tab(wikis, color_scheme=scheme, reduced_motion="reduce")
    watched.open()
    look_at(watched, "wikis", scheme)
