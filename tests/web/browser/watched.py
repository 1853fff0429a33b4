"""A browser page whose console, errors and requests are watched; a test ends with a look at these."""

from pathlib import Path
from typing import Any, Final, Protocol

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from local_stack.broker import ROOT

SCREENSHOTS: Final = ROOT / ".local/screenshots"
PATIENCE: Final = 60_000
"""Milliseconds that a condition on a page is awaited."""
ARGUMENTS: Final = (
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-sync",
)


class HasUrl(Protocol):
    """A service of which a tab can show pages."""

    @property
    def url(self) -> str: ...


class Watched:
    """One tab in a context of its own. `options` are Playwright's for a context."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self._url = url
        self._context = browser.new_context(base_url=url, **options)
        self._context.set_default_timeout(PATIENCE)
        self.page: Page = self._context.new_page()
        self.problems: list[str] = []
        self._may_fail = False
        self.requests: list[Request] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", self._request)

    def open(self, path: str = "/") -> Page:
        self.page.goto(path)
        return self.page

    def screenshot(self, name: str) -> Path:
        """The whole page, for people to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path

    def violations(self, *rules: str) -> list[str]:
        """What axe finds against WCAG, or against these rules of it alone, with the elements concerned."""
        only = {"runOnly": list(rules)} if rules else {}
        found = Axe().run(self.page, options={"resultTypes": ["violations"], **only})["violations"]
        return [f"{each['id']}: {[node['html'] for node in each['nodes']][:3]}" for each in found]

    def expect_failed_requests(self) -> None:
        """Chromium logs each failed request as an error: here they are meant, those still to come too."""
        self._may_fail = True

    def close(self) -> None:
        """AssertionError for an error in the console, a breach of the CSP, a request to elsewhere."""
        self._context.close()
        unexpected = [
            problem
            for problem in self.problems
            if not (self._may_fail and "Failed to load resource" in problem)
        ]
        assert unexpected == []

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        self.requests.append(request)
        if not request.url.startswith(f"{self._url}/"):
            self.problems.append(f"request to {request.url}")
