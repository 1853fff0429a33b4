"""The page is told of a new answer at once, and polls where something on the way prevents that."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route, expect

from harness.processes import wait_until
from web.browser.conftest import OpenTab
from web.browser.reverse_proxy import ReverseProxy
from web.browser.running_web import RunningWeb
from web.browser.watched import Watched
from web.committed import Change, CommittedChanges, now

pytestmark = pytest.mark.slow

STREAM = "**/api/v1/stream"
LONG = 20  # seconds between two polls: what is there sooner was pushed


@pytest.fixture(scope="module")
def rare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningWeb, CommittedChanges]]:
    """A service whose pages seldom poll."""
    folder = tmp_path_factory.mktemp("rare")
    committed = CommittedChanges(folder / "data")
    committed.commit(Change(now(), title="The first"))
    with RunningWeb(folder, refresh_seconds=LONG) as web:
        yield web, committed


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Callable[..., ReverseProxy]]:
    """Starts an nginx in front of a service, with more directives; to be asked for before `tab`."""
    started: list[ReverseProxy] = []

    def start(web: RunningWeb, directives: str = "") -> ReverseProxy:
        started.append(ReverseProxy(tmp_path, web.url, "/wiki", directives))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def until_shown(page: Page, committed: CommittedChanges, title: str) -> float:
    """Seconds from the commit of a change of `title` until the page shows it."""
    began = time.monotonic()
    committed.commit(Change(now(), title=title))
    expect(page.locator("#titles")).to_contain_text(title)
    return time.monotonic() - began


def streams_asked_for(watched: Watched) -> list[Request]:
    return [request for request in watched.requests if request.url.endswith("/api/v1/stream")]


def with_a_stream(page: Page) -> Page:
    """Whose stream is open, as the page itself asks no more often than it must."""
    expect(page.locator("html[data-streamed]")).to_have_count(1)
    return page


# Tells a test when the page's stream has brought its first bytes.
HEARD = """{
  const real = window.fetch;
  window.fetch = async (...given) => {
    const response = await real(...given);
    if (String(given[0]).endsWith("/stream") && response.body) {
      const read = response.body.getReader.bind(response.body);
      response.body.getReader = () => {
        const reader = read();
        const heard = (part) => { document.documentElement.dataset.streamed = ""; return part; };
        return { read: () => reader.read().then(heard) };
      };
    }
    return response;
  };
}"""


def opened(watched: Watched, path: str = "/") -> Page:
    watched.page.add_init_script(HEARD)
    return watched.open(path)


def test_an_update_comes_long_before_the_next_poll(
    rare: tuple[RunningWeb, CommittedChanges], tab: OpenTab
) -> None:
    web, committed = rare
    page = with_a_stream(opened(tab(web)))
    page.evaluate("window.notReloaded = true")
    for number in (1, 2, 3):
        assert until_shown(page, committed, f"Pushed {number}") < LONG / 2
    assert page.evaluate("window.notReloaded")


def test_a_filtered_page_is_told_too(rare: tuple[RunningWeb, CommittedChanges], tab: OpenTab) -> None:
    web, committed = rare
    page = with_a_stream(opened(tab(web), "/?types=all&window=1h"))
    committed.commit(Change(now(), title="Category:Pushed", type="categorize"))

    def is_shown() -> bool:
        committed.commit(Change(now(), title="Tick", type="log"))
        return "Category:Pushed" in page.locator("#titles").inner_text()

    # An expensive answer may be five seconds old when the page is told: a later batch, which in life comes
    # within a second or two, tells it again.
    wait_until(is_shown, timeout=LONG / 2, what="the title is on the page", every=1)


def test_a_hidden_tab_holds_no_stream(web: RunningWeb, committed: CommittedChanges, tab: OpenTab) -> None:
    watched = tab(web)
    page = with_a_stream(opened(watched))
    before = streams_open(web)
    hide(page, hidden=True)
    committed.commit(Change(now(), title="Unseen"))
    page.wait_for_timeout(500)
    assert streams_open(web) == before - 1
    hide(page, hidden=False)
    expect(page.locator("#titles")).to_contain_text("Unseen")
    assert len(streams_asked_for(watched)) == 2
    assert "last-event-id" in streams_asked_for(watched)[1].headers


def hide(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def streams_open(web: RunningWeb) -> int:
    metrics = (web.get("/metrics") or b"").decode()
    (line,) = [line for line in metrics.splitlines() if line.startswith("wiki_web_streams ")]
    return int(float(line.split()[1]))


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        (404, "text/html", "<h1>Not here</h1>"),
        (200, "text/html", "<h1>Sign in to the network</h1>"),
        (200, "text/event-stream", "id: of-another\ndata: {}\n\n"),
        (503, "application/problem+json", "{}"),
    ],
)
def test_what_a_proxy_answers_for_the_stream_leaves_the_page_polling(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab, status: int, content_type: str, body: str
) -> None:
    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type=content_type, body=body)

    watched = tab(web)
    watched.page.route(STREAM, answer)
    page = watched.open()
    for number in (1, 2):
        assert until_shown(page, committed, f"Polled {len(body)} {number}") < 5
    expect(page.locator("#unreachable")).to_be_hidden()
    wait_until(lambda: streams_open(web) == 0, timeout=60, what="those of other tests are closed")
    watched.page.unroute(STREAM, answer)
    wait_until(lambda: streams_open(web) == 1, timeout=60, what="it comes back to the stream")
    watched.expect_failed_requests()


def test_a_stream_that_is_cut_is_followed_by_polls_and_another_stream(
    web: RunningWeb, committed: CommittedChanges, proxy: Callable[..., ReverseProxy], tab: OpenTab
) -> None:
    """By a proxy that is stopped and started: the page's own requests fail meanwhile, too."""
    nginx = proxy(web)
    watched = tab(nginx)
    page = with_a_stream(opened(watched, f"{nginx.url}/"))
    nginx.stop()
    expect(page.locator("#unreachable")).to_be_visible(timeout=5000)  # not only by the next poll
    page.evaluate("delete document.documentElement.dataset.streamed")
    nginx.start()
    expect(page.locator("#unreachable")).to_be_hidden()
    with_a_stream(page)
    assert until_shown(page, committed, "After the cut") < 5
    watched.expect_failed_requests()


def test_behind_nginx_as_it_comes_an_update_is_pushed(
    rare: tuple[RunningWeb, CommittedChanges], proxy: Callable[..., ReverseProxy], tab: OpenTab
) -> None:
    web, committed = rare
    nginx = proxy(web)
    page = with_a_stream(opened(tab(nginx), f"{nginx.url}/"))
    for number in (1, 2):
        assert until_shown(page, committed, f"Through nginx {number}") < LONG / 2


def test_a_stream_without_the_services_header_is_not_listened_to(
    web: RunningWeb, committed: CommittedChanges, proxy: Callable[..., ReverseProxy], tab: OpenTab
) -> None:
    """Whoever's it is: it may be silent for ever, or tell of something else."""
    elsewhere = f"proxy_pass {web.url}/api/v1/stream; proxy_hide_header X-Wiki-Live-Top;"
    nginx = proxy(web, f"location = /wiki/api/v1/stream {{ {elsewhere} }}")
    page = opened(tab(nginx), f"{nginx.url}/")
    for number in range(3):
        assert until_shown(page, committed, f"Not listening {number}") < 5
    expect(page.locator("html[data-streamed]")).to_have_count(0)


def test_many_pages_in_one_browser_leave_each_other_a_connection(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab
) -> None:
    """More than the six connections that a browser has for a server."""
    first = tab(web).open()
    pages = [first, *(first.context.new_page() for _ in range(7))]
    for number, page in enumerate(pages[1:]):
        committed.commit(Change(now(), title=f"Before page {number}"))
        page.goto("/")
    committed.commit(Change(now(), title="On all pages"))
    for page in pages:
        expect(page.locator("#titles")).to_contain_text("On all pages")


def test_behind_a_proxy_that_keeps_events_back_the_page_polls(
    web: RunningWeb, committed: CommittedChanges, proxy: Callable[..., ReverseProxy], tab: OpenTab
) -> None:
    nginx = proxy(web, "proxy_ignore_headers X-Accel-Buffering; proxy_buffer_size 64k; proxy_buffers 8 64k;")
    page = opened(tab(nginx), f"{nginx.url}/")
    for number in range(4):
        assert until_shown(page, committed, f"Kept back {number}") < 5
    expect(page.locator("html[data-streamed]")).to_have_count(0)
