"""./scripts/update-dependencies says what changed and how to undo it, whether the tests pass or not.

In a clone whose scripts/pin and scripts/test stand in for an index and for half an hour.
"""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = (Path("services/web/requirements.txt"), Path("tests/requirements.txt"))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    subprocess.run(("git", "clone", "--quiet", ROOT, folder), check=True)
    (folder / "scripts/update-dependencies").write_bytes((ROOT / "scripts/update-dependencies").read_bytes())
    upgrade = f"sed -i 's/^flask==[^ ]*/flask==9.0/; /^itsdangerous==/d' {LOCKS[0]} {LOCKS[1]}"
    stand_in(folder / "scripts/pin", f'[ "$*" = --upgrade ] && {upgrade}')
    return folder


def stand_in(script: Path, command: str) -> None:
    script.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")


def update(clone: Path, tests: str) -> "subprocess.CompletedProcess[str]":
    stand_in(clone / "scripts/test", tests)
    return subprocess.run(
        ("bash", "scripts/update-dependencies", "tests/web"),
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("tests", "code", "said"), [('[ "$*" = tests/web ]', 0, "tests pass"), ("exit 4", 4, "tests FAIL")]
)
def test_each_package_that_changed_is_said_once_and_the_undoing_undoes(
    clone: Path, tests: str, code: int, said: str
) -> None:
    before = [(clone / lock).read_bytes() for lock in LOCKS]
    done = update(clone, tests)
    assert (done.returncode, done.stderr) == (code, "")
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("  ")]
    assert [(name, new) for name, _, _, new in lines] == [("flask", "9.0"), ("itsdangerous", "-")]
    assert said in done.stdout
    undo = done.stdout.rpartition("to undo: ")[2].partition(" &&")[0]
    subprocess.run(("bash", "-c", undo), cwd=clone, check=True)
    assert [(clone / lock).read_bytes() for lock in LOCKS] == before


def test_changes_that_are_not_committed_are_left_alone(clone: Path) -> None:
    (clone / LOCKS[0]).write_text("", encoding="utf-8")
    done = update(clone, "true")
    assert (done.returncode, done.stdout) == (3, "")
    assert "commit or undo" in done.stderr


def test_without_anything_newer_no_test_is_run(clone: Path) -> None:
    stand_in(clone / "scripts/pin", "true")
    done = update(clone, "exit 4")
    assert done.returncode == 0
    assert "as new as the ranges allow" in done.stdout
