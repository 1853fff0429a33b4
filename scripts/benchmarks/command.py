"""What the benches that start everything share: how they end, and where their tables go."""

import signal
import sys
from pathlib import Path
from typing import Final

from benchmarks import markdown

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/benchmarks.md"
LIVE_RATE: Final = 40
"""Events a second of all wikis together, as Wikimedia's."""


def end_as_by_ctrl_c() -> None:
    """SIGTERM too ends what runs, and removes its folder."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def tell(text: str, section: str, *, write: bool) -> None:
    """Print what was found, and with `write` put it into `section` of PAGE. Raises NoMarkers."""
    print(f"\n{text}")
    if write:
        markdown.write(PAGE, section, text)
