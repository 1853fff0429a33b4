"""The page as a picture, with half an hour of a simulated stream in it; scripts/screenshot runs this."""

import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from harness.browser import chromium
from harness.processes import wait_until
from harness.run_local import RunLocal
from harness.simulator import Simulator

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
                _say("the services start and read the stream's past half hour")
                wait_until(lambda: _shows_now(local), timeout=_PATIENCE, what="the page is live", every=1)
                _say("the page is live")
                _photograph(f"http://127.0.0.1:{local.web_port}/", path)
    _say(f"{path}: {path.stat().st_size // 1024} kB")


def _shows_now(local: RunLocal) -> bool:
    """Whether the newest change counted is one of the last seconds, so that all before it are there, too."""
    local.assert_runs()
    timeline = local.get("/api/v1/timeline")
    if not timeline or timeline["state"] != "live":
        return False
    newest = timeline["minutes"][-1]["to"]
    return bool(newest >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 5)))


def _photograph(url: str, path: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": _WIDTH, "height": _HEIGHT}, color_scheme="light", reduced_motion="reduce"
        )
        page.goto(url)
        with page.expect_response(url):
            pass  # one update in place
        page.screenshot(path=path)
        browser.close()


def _say(text: str) -> None:
    print(f"screenshot: {text}", flush=True)


if __name__ == "__main__":
    take_picture(Path(sys.argv[1]))
