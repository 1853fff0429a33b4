"""scripts/compose-test says what is missing, and does nothing then."""

import subprocess
from pathlib import Path

from compose.files import ROOT


def test_without_docker_it_says_so_and_exits_with_3(tmp_path: Path) -> None:
    for command in ("bash", "dirname"):
        (tmp_path / command).symlink_to(Path("/usr/bin") / command)

    done = subprocess.run(
        [str(tmp_path / "bash"), str(ROOT / "scripts/compose-test")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 3
    assert done.stdout == ""
    assert "needs Docker" in done.stderr
