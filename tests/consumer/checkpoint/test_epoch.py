from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wiki_common.volume import FORMER_EPOCH, BatchId, RawFile
from wiki_consumer.checkpoint.epoch import EPOCH_FILE, epoch_of
from wiki_consumer.checkpoint.state import CheckpointMismatch

NOW = datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)


def test_is_when_the_checkpoint_began_and_stays(tmp_path: Path) -> None:
    assert epoch_of(tmp_path, [], now=NOW) == "20260131T120000Z"
    assert epoch_of(tmp_path, [], now=NOW + timedelta(days=1)) == "20260131T120000Z"


@pytest.mark.parametrize("newest", ["20260131T120000Z", "20270131T120000Z"])
def test_is_later_than_those_of_all_files_whatever_the_clock_says(tmp_path: Path, newest: str) -> None:
    file = RawFile(BatchId(newest, 3), "date=2026-01-31")
    assert epoch_of(tmp_path, [file], now=NOW) > newest


def test_files_of_the_version_before_have_none_that_it_must_be_later_than(tmp_path: Path) -> None:
    """Alone after a reset, before any batch of this version."""
    file = RawFile(BatchId(FORMER_EPOCH, 3), "date=2026-01-31")
    assert epoch_of(tmp_path, [file], now=NOW) == "20260131T120000Z"


def test_one_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / EPOCH_FILE).write_bytes(b"\xff")
    with pytest.raises(CheckpointMismatch, match="epoch"):
        epoch_of(tmp_path, [], now=NOW)
