"""What the watchers see."""

import os
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.freshness.watchers import commit_moments, repeated
from harness.processes import wait_until

BATCH = "20260131T120000Z-0000000042"


def appear(folder: Path, name: str, *ids: str) -> float:
    """A file as the consumer lets it appear: written elsewhere, renamed a moment later. When it began to."""
    writing, target = folder / "writing", folder / "changes" / name
    pq.write_table(pa.table({"event_id": pa.array(ids, pa.string())}), writing)
    os.utime(writing, (0, 0))
    target.parent.mkdir(parents=True, exist_ok=True)
    # The clock of a file system is a few milliseconds behind.
    time.sleep(0.02)
    began = time.time()
    time.sleep(0.02)
    writing.replace(target)
    return began


def test_an_event_is_committed_when_its_file_appears_not_when_it_was_written(tmp_path: Path) -> None:
    began = appear(tmp_path, f"date=2026-01-31/{BATCH}.parquet", "a", "b")
    found = commit_moments(tmp_path / "changes")
    assert found.keys() == {"a", "b"}
    assert began <= found["a"] == found["b"] <= time.time()


def test_a_batch_of_two_dates_is_committed_with_the_last_of_its_files(tmp_path: Path) -> None:
    appear(tmp_path, f"date=2026-01-30/{BATCH}-part.parquet", "old")
    began = appear(tmp_path, f"date=2026-01-31/{BATCH}.parquet", "new")
    found = commit_moments(tmp_path / "changes")
    assert found["old"] == found["new"] >= began


def test_what_a_watcher_raises_is_raised() -> None:
    def look() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"), repeated(look):
        pass


def test_a_watcher_looks_until_it_is_left() -> None:
    looks: list[float] = []

    def look() -> None:
        looks.append(time.monotonic())
        time.sleep(0.001)

    with repeated(look):
        wait_until(lambda: len(looks) > 2, timeout=60, what="it has looked three times", every=0.001)
    left = time.monotonic()
    time.sleep(0.02)
    assert looks[-1] <= left
