"""Which Chromium the browser tests drive."""

import shutil
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MACOS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)


def chromium() -> str:
    """The path of an installed Chromium or Chrome; RuntimeError says how to get one."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    for application in _MACOS:
        if application.exists():
            return str(application)
    raise RuntimeError(
        "this test drives a real browser, and there is none: "
        "sudo apt install chromium (Debian), brew install --cask chromium (macOS)"
    )
