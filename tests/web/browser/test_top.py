"""The live top in a browser: what it shows, and how it changes in place."""

import json
import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from web.browser.conftest import IMAGE, SCRIPT, TITLES, OpenTab
from web.browser.running_web import RunningWeb
from web.browser.top_page import shown_top
from web.committed import Change, CommittedChanges, now


def test_the_rows_are_the_answer_of_the_api(web: RunningWeb, tab: OpenTab) -> None:
    page = tab(web).open()
    answer = json.loads(web.get("/api/v1/top") or b"{}")
    total, rows = shown_top(page)
    assert rows == [(row["title"], row["changes"]) for row in answer["titles"]]
    assert total == answer["totals"]["changes"]
    assert dict(rows).items() >= TITLES.items()


def test_text_of_strangers_is_text(web: RunningWeb, tab: OpenTab) -> None:
    page = tab(web).open()
    row = page.locator("#titles tr", has_text=SCRIPT)
    expect(row.locator(".title a")).to_have_attribute(
        "href", re.compile("^https://en.wikipedia.org/wiki/%3C")
    )
    row.get_by_role("link", name="Why").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SCRIPT)
    expect(page.locator("#editors", has_text=IMAGE)).to_be_visible()
    expect(page.locator("main img, main script, main b")).to_have_count(0)


def test_a_contested_title_is_marked_and_most_are_not(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    for number in range(6):
        old, new = ((900, 500), (500, 900))[number % 2]
        user = ("Ada", "10.0.0.1")[number % 2]
        committed.commit(Change(now(), "Disputed", user, length_old=old, length_new=new))
    page = tab(web).open()
    marks = page.locator("#titles tr", has_text="Disputed").locator(".reasons .mark")
    expect(marks).to_have_text(["contested · 5 reverts", "anonymous 50\xa0%"])
    expect(page.locator("#titles tr", has_text="Talk:Moon").locator(".reasons .mark")).to_have_count(0)


def test_no_cell_of_a_row_runs_into_the_next(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    committed.commit(Change(now() - timedelta(minutes=23), "A while ago", length_new=123_456))
    page = tab(web, viewport={"width": 1000, "height": 800}).open()
    expect(page.locator("#titles tr", has_text="A while ago").locator(".last")).to_have_text("23 min ago")
    too_long = page.evaluate(
        "[...document.querySelectorAll('#titles tr > td:not(.reasons)')]"
        ".filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)"
    )
    assert too_long == []


def test_a_change_appears_without_a_reload(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    page = tab(web).open()
    page.evaluate("window.notReloaded = true")
    committed.commit(*(Change(now(), title="Sudden news", comment=f"change {each}") for each in range(12)))
    expect(page.locator("#titles tr").first.locator(".title")).to_have_text("Sudden news")
    expect(page.locator("#titles tr").first.locator(".move")).to_have_text("new")
    expect(page.locator("#titles tr", has_text="Ada Lovelace").locator(".move")).to_have_text(
        re.compile(r"▼down \d")
    )
    expect(page.locator("#feed li").first).to_contain_text("Sudden news")
    expect(page.locator("#announcement")).to_be_empty()  # only changes of state are told
    assert page.evaluate("window.notReloaded")


def test_an_update_keeps_focus_selection_and_scroll(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    page = tab(web, viewport={"width": 1280, "height": 400}).open()
    link = page.locator("#titles tr", has_text="Kyiv").get_by_role("link", name="Why")
    link.focus()
    page.evaluate(
        "getSelection().selectAllChildren(document.querySelector('#titles tr:nth-child(2) .title bdi'))"
    )
    selected = page.evaluate("getSelection().toString()")
    page.evaluate("scrollTo(0, 300)")
    committed.commit(*(Change(now(), title="Overtaker") for _ in range(20)))
    expect(page.locator("#titles tr").first.locator(".title")).to_have_text("Overtaker")
    expect(link).to_be_focused()
    assert page.evaluate("getSelection().toString()") == selected
    assert page.evaluate("scrollY") == 300


def test_what_did_not_change_is_not_touched(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    page = tab(web).open()
    page.evaluate("""() => {
      window.touched = [];
      const rows = [...document.querySelectorAll('#titles tr')];
      const row = rows.find((row) => row.dataset.key === 'enwiki/Kyiv');
      new MutationObserver((changes) => touched.push(...changes.map((change) => change.type)))
        .observe(row.querySelector('.title'), {subtree: true, childList: true, attributes: true});
    }""")
    committed.commit(Change(now(), title="Kyiv"))
    count = page.locator("#titles tr", has_text="Kyiv").locator(".count")
    expect(count).not_to_have_text(str(TITLES["Kyiv"]))
    assert page.evaluate("touched") == []


@pytest.mark.parametrize(("wish", "moves"), [("no-preference", True), ("reduce", False)])
def test_rows_move_unless_a_person_wishes_less_motion(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab, wish: str, moves: bool
) -> None:
    watched = tab(web, reduced_motion=wish)
    watched.page.add_init_script("""{
      window.animations = 0;
      const animate = Element.prototype.animate;
      Element.prototype.animate = function (...given) { animations += 1; return animate.apply(this, given); };
    }""")
    page = watched.open()
    committed.commit(*(Change(now(), title=f"Motion: {wish}") for _ in range(6)))
    expect(page.locator("#titles")).to_contain_text(f"Motion: {wish}")
    assert (page.evaluate("animations") > 0) == moves


def test_the_feed_can_be_paused_while_the_top_goes_on(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    page = tab(web).open()
    button = page.locator("#feed").get_by_role("button")
    button.click()
    expect(button).to_have_text("Resume")
    before = page.locator("#feed li").first.inner_text()
    committed.commit(*(Change(now(), title="While paused") for _ in range(25)))
    expect(page.locator("#titles")).to_contain_text("While paused")
    assert page.locator("#feed li").first.inner_text() == before
    with page.expect_response(f"{web.url}/") as answer:
        button.click()
    assert answer.value.status == 200  # not 304: the feed lags behind the last answer
    expect(page.locator("#feed li").first).to_contain_text("While paused")


def test_the_whole_page_can_be_paused(web: RunningWeb, committed: CommittedChanges, tab: OpenTab) -> None:
    watched = tab(web)
    page = watched.open()
    button = page.locator("#freshness").get_by_role("button")
    button.click()
    committed.commit(*(Change(now(), title="Not yet") for _ in range(30)))
    web.wait_until_ready()
    with page.expect_response(
        lambda response: (
            response.url == f"{web.url}/" and response.status == 200 and b"Not yet" in response.body()
        )
    ):
        pass
    expect(page.locator("#titles")).not_to_contain_text("Not yet")
    button.click()
    expect(page.locator("#titles")).to_contain_text("Not yet")


def test_a_hidden_tab_asks_for_nothing(web: RunningWeb, tab: OpenTab) -> None:
    watched = tab(web)
    page = watched.open()
    set_hidden = (
        "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    with page.expect_request(f"{web.url}/"):
        pass
    page.evaluate(set_hidden, True)
    asked = len(watched.requests)
    page.wait_for_timeout(3000)  # three periods: only time shows that nothing is asked
    assert len(watched.requests) == asked
    with page.expect_request(f"{web.url}/"):
        page.evaluate(set_hidden, False)


def test_the_chart_tells_its_values_under_the_pointer(web: RunningWeb, tab: OpenTab) -> None:
    page = tab(web).open()
    page.locator("#chart .plot").hover()
    expect(page.locator("#readout")).to_have_text(
        re.compile(r"until \d\d:\d\d:\d\d: \d+ changes, \d+ editors")
    )
    page.locator("h1").hover()
    expect(page.locator("#readout")).to_be_empty()


def test_times_follow_the_servers_clock_not_the_browsers(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    watched = tab(web)
    watched.page.add_init_script("{ const real = Date.now; Date.now = () => real() + 3_600_000; }")
    page = watched.open()
    committed.commit(Change(now(), title="Clockwork"))
    expect(page.locator("#feed li").first).to_contain_text("Clockwork")
    page.wait_for_function("document.querySelector('#behind').textContent !== ''")
    assert re.fullmatch(r"\d+(\.\d)? s", page.locator("#behind").inner_text())


def test_the_first_load_is_small_and_asks_no_one_else(web: RunningWeb, tab: OpenTab) -> None:
    watched = tab(web)
    page = watched.open()
    expect(page.locator("#announcement")).to_have_attribute("data-state", "live")
    ending = [request for request in watched.requests if not request.url.endswith("/stream")]
    sizes = [request.sizes() for request in ending]
    transferred = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)
    assert 10_000 < transferred < 100_000
