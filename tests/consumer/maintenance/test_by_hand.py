"""python -m wiki_consumer.maintenance --once, as an operator runs it."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from consumer.volumes import HISTORY_END, Volume
from wiki_consumer.checkpoint.lock import acquire_for_jvm


def by_hand(volume: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    # The volume's rows are of a fixed date, which must not be past the retention.
    settings = {"DATA_DIR": str(volume), "HISTORY_RETENTION": "36500d"} | environment
    return subprocess.run(
        [sys.executable, "-m", "wiki_consumer.maintenance", *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_says_what_it_did(volume: Volume) -> None:
    run = by_hand(volume.path, "--once")

    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()[-5:]  # after what was logged
    assert lines[0].startswith("hours closed: 4 (12 rows, ")
    assert lines[2:] == [
        "raw files deleted: 0 (0 bytes), left: 9",
        "old hours deleted: 0",
        f"history covers: all before {HISTORY_END:%Y-%m-%d %H:%M} UTC",
    ]
    assert volume.what_a_reader_sees() == volume.ids


def test_says_what_failed(volume: Volume) -> None:
    os.truncate(volume.raw_file_with("0-0"), 100)

    run = by_hand(volume.path, "--once")

    assert run.returncode == 1
    assert run.stdout.splitlines()[-1].startswith("failed: close hours: ")
    assert volume.raw_files()[0].parent.name in run.stdout


def test_refuses_while_a_consumer_runs(volume: Volume, spark: SparkSession) -> None:
    lock = volume.folders.lock
    assert acquire_for_jvm(spark, lock, stopping=lambda: False)

    run = by_hand(volume.path, "--once")

    assert run.returncode == 1
    assert run.stderr == (
        f"wiki-consumer maintenance: {lock} is locked: a consumer runs, and does this itself\n"
    )
    assert volume.folders.hours() == []


def test_an_interrupted_batch_keeps_its_hours_open(volume: Volume) -> None:
    (volume.checkpoint / "commits/5").unlink()
    volume.set_batch_clock(5, datetime(2026, 1, 31, 23, 35, tzinfo=UTC))

    assert by_hand(volume.path, "--once").returncode == 0
    assert volume.folders.history_end() == HISTORY_END - timedelta(hours=4)


def test_without_a_volume_it_says_so(tmp_path: Path) -> None:
    run = by_hand(tmp_path / "nothing", "--once")

    assert run.returncode == 1
    assert run.stderr.endswith("nothing/changes doesn't exist: nothing to do\n")
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(("arguments", "environment"), [((), {}), (("--once",), {"MAX_EVENT_AGE": "soon"})])
def test_wrong_use_is_code_2(tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    assert by_hand(tmp_path, *arguments, **environment).returncode == 2
