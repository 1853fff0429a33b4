"""The page below a path of a reverse proxy, and with a proxy on the way that answers in its place."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Route, expect

from web.browser.conftest import OpenTab
from web.browser.reverse_proxy import ReverseProxy
from web.browser.running_web import RunningWeb
from web.committed import Change, CommittedChanges, now

pytestmark = pytest.mark.slow


@pytest.fixture(params=["/wiki", "/a/b/top"])
def proxy(request: pytest.FixtureRequest, web: RunningWeb, tmp_path: Path) -> Iterator[ReverseProxy]:
    proxy = ReverseProxy(tmp_path, web.url, request.param)
    yield proxy
    proxy.stop()


def test_below_a_path_everything_works(
    proxy: ReverseProxy, committed: CommittedChanges, tab: OpenTab
) -> None:
    """A request to an address outside the path would be a problem at the test's end."""
    page = tab(proxy).open(f"{proxy.url}/")
    page.evaluate("window.notReloaded = true")
    committed.commit(Change(now(), title=f"Proxied {proxy.url}"))
    row = page.locator("#titles tr", has_text=f"Proxied {proxy.url}")
    expect(row).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.titles tr')).display") == "grid"
    page.locator("#filters").get_by_label("1 h", exact=True).click()
    expect(page).to_have_url(f"{proxy.url}/?window=1h")
    expect(page.locator("#chart-heading")).to_contain_text("1 h")
    assert page.evaluate("window.notReloaded")
    row.get_by_role("link", name="Why").click()
    title = quote(f"Proxied {proxy.url}", safe="").replace("%20", "+")
    expect(page).to_have_url(f"{proxy.url}/page?title={title}&window=1h")
    expect(page.locator("#changes tr")).to_have_count(1)
    expect(page.locator("html[data-refresh-due]")).to_have_count(1)  # its scripts follow the form
    page.locator("#filters").get_by_label("30 min").click()
    expect(page).to_have_url(f"{proxy.url}/page?title={title}")
    expect(page.locator("#chart-heading")).to_contain_text("30 min")
    page.get_by_role("link", name="Live top of Wikipedia").click()
    expect(page).to_have_url(f"{proxy.url}/")
    for name in ("CSV", "JSON", "API description"):
        link = page.get_by_role("link", name=name).evaluate("link => link.href")
        assert page.request.get(link).status == 200


@pytest.mark.parametrize("path", ["/nowhere", "/nowhere/deep/down"])
def test_below_a_path_an_error_page_has_its_style_and_leads_back(
    proxy: ReverseProxy, tab: OpenTab, path: str
) -> None:
    watched = tab(proxy)
    page = watched.open(f"{proxy.url}{path}")
    assert page.evaluate("getComputedStyle(document.querySelector('.panel')).borderRadius") != "0px"
    page.get_by_role("link", name="Go to the live top").click()
    expect(page).to_have_url(f"{proxy.url}/")
    watched.expect_failed_requests()


@pytest.mark.parametrize("status", [200, 403, 404, 429])
def test_what_a_proxy_answers_in_the_services_place_is_an_outage(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab, status: int
) -> None:
    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type="text/html", body="<h1>Sign in to the network</h1>")

    watched = tab(web)
    page = watched.open()
    page.evaluate("window.notReloaded = true")
    page.route(f"{web.url}/", answer)
    committed.commit(Change(now(), title="Tick", type="log"))
    expect(page.locator("#unreachable")).to_contain_text("can’t be reached")
    expect(page.locator("#titles")).to_contain_text("Ada Lovelace")
    page.unroute(f"{web.url}/", answer)
    committed.commit(Change(now(), title=f"After {status}"))
    expect(page.locator("#titles")).to_contain_text(f"After {status}")
    expect(page.locator("#unreachable")).to_be_hidden()
    assert page.evaluate("window.notReloaded")
    watched.expect_failed_requests()
