"""All wikis through the whole pipeline: each is counted for itself, and has its own links on the page."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from harness.browser import chromium
from harness.processes import wait_until
from harness.run_local import RunLocal
from harness.simulator import Simulator
from stream_simulator.wikis import WIKIS
from web.browser.watched import ARGUMENTS, PATIENCE, Watched
from wiki_web.data.titles import spelled

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

_RATE = 100
_EVENTS = 1500
_DOMAINS = {wiki.name: wiki.domain for wiki in WIKIS}


class AllWikis:
    """A pipeline that has read a stream of all wikis to its end."""

    def __init__(self, local: RunLocal, simulator: Simulator) -> None:
        self.local = local
        self._handed_out = list(simulator.handed_out())

    def expected(self, wiki: str, *types: str) -> Counter[str]:
        """Changes by title, as the stream handed them out; of all types, or of these."""
        kept = (each for each in self._handed_out if each["kind"] in ("change", "huge"))
        of_types = (each for each in kept if not types or each["type"] in types)
        return Counter(spelled(each["title"]) for each in of_types if each["domain"] == _DOMAINS[wiki])

    def counted(self, wiki: str) -> Counter[str]:
        """The same, as the API tells."""
        answer = self.local.get(f"/api/v1/top?types=all&limit=500&wiki={wiki}")
        return Counter({row["title"]: row["changes"] for row in answer["titles"]})


@pytest.fixture(scope="module")
def wikis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AllWikis]:
    folder = tmp_path_factory.mktemp("wikis")
    with closing(Simulator(folder)) as simulator:
        simulator.run_idle()
        env = {"WIKI_STREAM_URL": simulator.url, "WIKI_DOMAINS": "*", "WEB_ENGINE": "duckdb"}
        with closing(RunLocal(folder, env=env)) as local:
            local.wait_for_line("reading live")
            simulator.run(start=time.time() + 1, rate=_RATE, events=_EVENTS)

            def kept() -> int:
                return sum(each["kind"] in ("change", "huge") for each in simulator.handed_out())

            def is_counted() -> bool:
                local.assert_runs()
                answer = local.get("/api/v1/top?types=all")
                return bool(answer) and answer["totals"]["changes"] == kept() > 0.99 * _EVENTS

            wait_until(is_counted, timeout=240, what="all changes are counted", every=0.5)
            yield AllWikis(local, simulator)


@pytest.fixture(scope="module")
def page(wikis: AllWikis) -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        tab = Watched(browser, f"http://127.0.0.1:{wikis.local.web_port}")
        yield tab.open("/?limit=200")
        tab.close()
        browser.close()


def test_each_title_of_each_wiki_has_the_count_that_the_stream_handed_out(wikis: AllWikis) -> None:
    counted = {wiki: wikis.counted(wiki) for wiki in _DOMAINS}
    assert counted == {wiki: wikis.expected(wiki) for wiki in _DOMAINS}
    assert sum(bool(titles) for titles in counted.values()) > 25


def test_each_row_of_the_page_leads_to_its_own_wiki(page: Page) -> None:
    rows = page.locator("#titles tr").evaluate_all(
        "rows => rows.map(row => [row.querySelector('.on').textContent, row.querySelector('.title a').href])"
    )
    assert len(rows) == 200
    assert len({wiki for wiki, _ in rows}) > 5
    assert [urlsplit(address).hostname for _, address in rows] == [_DOMAINS[wiki] for wiki, _ in rows]


def test_one_wiki_is_shown_alone_and_wikidata_by_its_ids(wikis: AllWikis, page: Page) -> None:
    expected = wikis.expected("wikidatawiki", "edit", "new")
    met = [wiki for wiki in sorted(_DOMAINS) if wikis.expected(wiki, "edit", "new")]
    expect(page.locator("select[name=wiki]").locator("option")).to_have_text(["All wikis", *met])
    page.locator("select[name=wiki]").select_option("wikidatawiki")
    expect(page.locator(".totals dd").first).to_have_text(f"{expected.total():,}")
    expect(page.locator("#titles .on")).to_have_count(0)
    page.goto("/?wiki=wikidatawiki&limit=500")
    names = page.locator("#titles .title").all_inner_texts()
    assert set(names) == set(expected)
    assert {name.rstrip("0123456789") for name in names} == {"Q", "Lexeme:L", "Property:P"}
