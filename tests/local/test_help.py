"""--help of the scripts: asked by somebody who doesn't know yet what they do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local_stack.broker import ROOT

# These list their options, once all is installed.
OF_PYTHON = {"bench", "chaos", "compose-test", "soak"}
SCRIPTS = [
    path
    for path in sorted((ROOT / "scripts").iterdir())
    if path.is_file() and os.access(path, os.X_OK) and path.name not in OF_PYTHON
]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_help_is_what_stands_at_a_scripts_beginning_and_nothing_is_done(script: Path, tmp_path: Path) -> None:
    for command in ("bash", "dirname", "sed"):
        found = shutil.which(command)
        assert found is not None
        (tmp_path / command).symlink_to(found)
    ended = subprocess.run(
        [str(script), "--help"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    comment = script.read_text(encoding="utf-8").splitlines()[1]
    assert ended.stdout.splitlines()[0] == comment.removeprefix("# ")
    assert not any(line.startswith(("#", "set ")) for line in ended.stdout.splitlines())
