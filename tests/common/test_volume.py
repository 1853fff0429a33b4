"""Which hours of a folder are closed."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.rights import AS_ANYBODY
from wiki_common.volume import Volume

HOURS = [datetime(2026, 1, 30, 23, tzinfo=UTC), datetime(2026, 1, 31, 0, tzinfo=UTC)]
_LOOK = "import sys, pathlib, wiki_common.volume as v; v.Volume(pathlib.Path(sys.argv[1])).hours()"


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    volume = Volume(tmp_path)
    for hour in reversed(HOURS):
        volume.hour_file(hour).parent.mkdir(parents=True)
        volume.hour_file(hour).touch()
    return volume


def test_the_hours_that_have_a_file_are_found_in_order_whenever_they_are_asked_for(volume: Volume) -> None:
    files = [volume.hour_file(hour) for hour in HOURS]
    assert list(volume.hour_files().items()) == list(zip(HOURS, files, strict=True))
    files[0].unlink()
    assert volume.hours() == HOURS[1:], "its folder is left"
    files[0].touch()
    assert volume.hours() == HOURS


def test_without_a_history_there_are_none(tmp_path: Path) -> None:
    assert Volume(tmp_path).hours() == []


@pytest.mark.parametrize("closed", [".", "date=2026-01-30", "date=2026-01-30/hour=23"])
def test_a_folder_that_may_not_be_read_is_said_and_not_taken_for_an_empty_one(
    volume: Volume, closed: str
) -> None:
    folder = volume.history / closed
    folder.chmod(0)
    try:
        ended = subprocess.run(
            [*AS_ANYBODY, sys.executable, "-c", _LOOK, volume.root],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        folder.chmod(0o755)
    assert f"PermissionError: [Errno 13] Permission denied: '{folder}" in ended.stderr
