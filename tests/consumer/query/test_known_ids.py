import os
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from structlog.testing import capture_logs

from consumer.volumes import Volume
from wiki_consumer.query import known_ids
from wiki_consumer.volume.raw_files import UnreadableFile

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MIDNIGHT = datetime(2026, 2, 1, tzinfo=UTC)


def write(files: Iterable[Path], target: Path, since: datetime) -> int:
    return known_ids.write(target, files, since=since)


def test_are_those_of_committed_rows_from_a_time_on(volume: Volume, tmp_path: Path) -> None:
    target = tmp_path / "known-ids.parquet"

    assert write(volume.raw_files(), target, MIDNIGHT) == 7
    expected = {"2-1", "3-0", "3-1", "4-0", "4-1", "5-0", "5-1"}
    assert set(pq.read_table(target)["event_id"].to_pylist()) == expected
    assert known_ids.newest(target) == datetime(2026, 2, 1, 3, 5, tzinfo=UTC)
    assert known_ids.existing(target) == target


def test_without_any_there_is_no_file(volume: Volume, tmp_path: Path) -> None:
    target = tmp_path / "known-ids.parquet"
    target.write_text("of an earlier reset")

    assert write(volume.raw_files(), target, datetime(2027, 1, 1, tzinfo=UTC)) == 0
    assert known_ids.existing(target) is None


def test_a_file_that_cannot_be_read_is_named_and_its_ids_are_not_known(
    volume: Volume, tmp_path: Path
) -> None:
    target = tmp_path / "known-ids.parquet"
    damaged, missing = volume.raw_file_with("0-0"), volume.raw_file_with("5-0")
    files = volume.raw_files()
    os.truncate(damaged, 300)
    missing.unlink()

    with capture_logs() as lines:
        write(files, target, LONG_AGO)

    named = " ".join(line["reason"] for line in lines if line["log_level"] == "warning")
    assert damaged.name in named
    assert missing.name in named
    kept = Counter(pq.read_table(target)["event_id"].to_pylist())
    assert {"0-0", "0-1", "0-2", "5-0"}.isdisjoint(kept)
    assert {"1-0", "2-1", "4-1"} <= kept.keys()


def test_a_damaged_file_of_them_is_named(tmp_path: Path) -> None:
    target = tmp_path / "known-ids.parquet"
    target.write_bytes(b"")

    with pytest.raises(UnreadableFile, match="known-ids"):
        known_ids.existing(target)
