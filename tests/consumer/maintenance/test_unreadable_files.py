"""A raw file that can't be read: its hours wait for a day, and nothing else is held up for longer."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from consumer.volumes import (
    CLOSED,
    Volume,
    clean_up,
)
from wiki_consumer.checkpoint.reset import RESET
from wiki_consumer.maintenance.deletion import GRACE


def cut_off(path: Path) -> None:
    os.truncate(path, 300)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def rub_out_a_page(path: Path) -> None:
    """Its footer and its ids can still be read."""
    title = pq.ParquetFile(path).metadata.row_group(0).column(6)
    assert title.path_in_schema == "title"
    content = bytearray(path.read_bytes())
    start = title.dictionary_page_offset or title.data_page_offset
    content[start : start + title.total_compressed_size] = bytes(title.total_compressed_size)
    path.write_bytes(content)


def test_an_unreadable_file_stops_hours_from_its_date_on_and_is_kept(volume: Volume) -> None:
    damaged = volume.raw_file_with("3-0")
    whole = damaged.read_bytes()
    cut_off(damaged)

    report = volume.maintenance().run()

    assert volume.folders.hours() == CLOSED[:2]
    [failure] = report.failures
    assert damaged.name in failure
    assert RESET in failure
    assert damaged.exists()
    damaged.write_bytes(whole)
    assert clean_up(volume).failures == []
    assert volume.what_a_reader_sees() == volume.ids


@pytest.mark.parametrize("damage", [cut_off, empty, rub_out_a_page])
def test_a_day_later_hours_are_closed_without_an_unreadable_file(
    volume: Volume, damage: Callable[[Path], None]
) -> None:
    damaged = volume.raw_file_with("3-0")
    damage(damaged)
    written = datetime.fromtimestamp(damaged.stat().st_mtime, UTC)

    report = volume.maintenance(now=written + timedelta(hours=23)).run()
    assert (report.raw_files_lost, volume.folders.hours()) == (0, CLOSED[:2])
    assert RESET in report.failures[0]

    runs = volume.maintenance(now=written + timedelta(hours=25))
    report, again = runs.run(), runs.run()
    assert (report.raw_files_lost, again.raw_files_lost) == (1, 0)
    assert not [failure for failure in report.failures if failure.startswith("close hours")]
    assert volume.folders.hours() == CLOSED
    assert volume.history.event_ids(CLOSED[2]) == {"2-1"}


def test_a_lost_file_is_kept_and_named_unless_it_is_half_written(
    continued: Volume,
) -> None:
    half, whole = continued.raw_file_with("0-0"), continued.raw_file_with("1-0")
    cut_off(half)
    rub_out_a_page(whole)
    long_after = datetime.now(UTC) + timedelta(hours=25)
    continued.maintenance(now=long_after).run()

    report = continued.maintenance(now=long_after + GRACE).run()

    assert [whole.name in failure for failure in report.failures] == [True]
    assert whole.exists()
    assert not half.exists()
