"""The page as a picture, with half an hour of a simulated stream in it; scripts/screenshot runs this."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Page, sync_playwright

from harness.browser import chromium
from harness.processes import wait_until
from harness.run_local import RunLocal
from harness.simulator import Simulator

ColorScheme = Literal["light", "dark"]
_WIDTH: Final = 1280
_HEIGHT: Final = 1010
_HALF_AN_HOUR: Final = 30 * 60
_RATE: Final = 33  # events per second over all wikis, as live
_PATIENCE: Final = 300  # seconds


def take_picture(path: Path) -> None:
    """Writes a PNG of the live page, once the stream's whole past half hour is on it."""
    with tempfile.TemporaryDirectory(prefix="page-picture-") as name:
        folder = Path(name)
        began = time.time() - _HALF_AN_HOUR
        with closing(Simulator(folder)) as simulator:
            simulator.run(start=began, rate=_RATE, events=0)
            url = f"{simulator.url}?since={int(began * 1000)}"
            with closing(RunLocal(folder, env={"WIKI_STREAM_URL": url, "WEB_ENGINE": "duckdb"})) as local:
                say("the services start and read the stream's past half hour")
                wait_until(lambda: _shows_now(local), timeout=_PATIENCE, what="the page is live", every=1)
                say("the page is live")
                _photograph(f"http://127.0.0.1:{local.web_port}/", path)
    say(f"{path}: {path.stat().st_size // 1024} kB")


def _shows_now(local: RunLocal) -> bool:
    """Whether the newest change counted is one of the last seconds, so that all before it are there, too."""
    local.assert_runs()
    timeline = local.get("/api/v1/timeline")
    if not timeline or timeline["state"] != "live":
        return False
    newest = timeline["minutes"][-1]["to"]
    return bool(newest >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 5)))


def _photograph(url: str, path: Path) -> None:
    with shown(url, _WIDTH, _HEIGHT) as page:
        with page.expect_response(url):
            pass  # one update in place
        page.screenshot(path=path)


@contextmanager
def shown(url: str, width: int, height: int, scheme: ColorScheme = "light") -> Iterator[Page]:
    """The page there, in a browser of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        page.goto(url)
        yield page
        browser.close()


def say(text: str) -> None:
    print(f"screenshot: {text}", flush=True)


if __name__ == "__main__":
    take_picture(Path(sys.argv[1]))
