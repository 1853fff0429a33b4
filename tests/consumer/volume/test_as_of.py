"""Up to when everything was counted, at a start: the newest file that can be read tells."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from structlog.testing import capture_logs

from wiki_common.coverage import Coverage
from wiki_common.volume import BatchId, RawFile
from wiki_consumer.volume.as_of import last_as_of
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.publishing import Publisher
from wiki_consumer.volume.raw_files import SCHEMA, list_raw_files

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EARLIER, LATER = "20260131T120000Z", "20260131T130000Z"


class Files:
    def __init__(self, root: Path) -> None:
        self.volume = ConsumerVolume(root)

    def add(
        self,
        epoch: str,
        number: int,
        coverage: Coverage | None = None,
        *,
        rows_at: datetime | None = None,
        is_part: bool = False,
    ) -> Path:
        raw = RawFile(BatchId(epoch, number), "date=2026-01-31", is_part)
        rows = [{"event_id": "a", "event_time": rows_at}] if rows_at else []
        Publisher(self.volume)(raw.name, pa.Table.from_pylist(rows, schema=SCHEMA), coverage)
        return self.volume.changes / raw.name

    def last_as_of(self) -> datetime | None:
        return last_as_of(self.volume.changes, list_raw_files(self.volume.changes))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_nothing_is_known_of_an_empty_folder(files: Files) -> None:
    assert files.last_as_of() is None
    files.add(EARLIER, 0, Coverage())
    assert files.last_as_of() is None


def test_the_newest_batch_tells_also_one_of_an_earlier_epoch(files: Files) -> None:
    files.add(EARLIER, 8, Coverage(NOON))
    files.add(EARLIER, 9, Coverage(NOON + MINUTE))
    assert files.last_as_of() == NOON + MINUTE
    files.add(LATER, 0, Coverage(NOON + 2 * MINUTE))
    assert files.last_as_of() == NOON + 2 * MINUTE


def test_the_part_of_a_batch_that_was_interrupted_tells_nothing(files: Files) -> None:
    files.add(EARLIER, 8, Coverage(NOON))
    files.add(EARLIER, 9, rows_at=NOON + MINUTE, is_part=True)
    assert files.last_as_of() == NOON


def test_a_file_that_cannot_be_read_is_passed_over_and_named(files: Files) -> None:
    files.add(EARLIER, 8, Coverage(NOON))
    damaged = files.add(EARLIER, 9, Coverage(NOON + MINUTE))
    os.truncate(damaged, 100)
    with capture_logs() as lines:
        assert files.last_as_of() == NOON
    assert damaged.name in lines[0]["reason"]


def test_files_of_an_older_version_tell_by_their_rows(files: Files) -> None:
    """By those of the newest file that has any, unless they were dated ahead."""
    with_rows = files.add(EARLIER, 8, rows_at=NOON)
    files.add(EARLIER, 9)
    assert files.last_as_of() == NOON
    os.utime(with_rows, ((NOON - MINUTE).timestamp(),) * 2)
    assert files.last_as_of() == NOON - MINUTE
