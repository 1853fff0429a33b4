"""Debian's promtool: checks a configuration, and what rules and queries make of series that are made up."""

import json
import subprocess
from pathlib import Path
from typing import Any

from harness.prometheus import debian_tool


def promtool(*arguments: str) -> str:
    """What it says; fails when it finds something wrong."""
    done = subprocess.run(
        [debian_tool("promtool", "prometheus"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def assert_found(folder: Path, content: dict[str, Any]) -> None:
    """That `promtool test rules` finds what is expected in `content`."""
    file = folder / "test.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    assert "SUCCESS" in promtool("test", "rules", str(file))
