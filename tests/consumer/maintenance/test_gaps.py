"""Times that nobody watched are known for as long as the hours that they end in, also those without a row."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from consumer.volumes import (
    CLOSED,
    FIRST_GAP,
    GAPS,
    HISTORY_END,
    NOW,
    Volume,
    add_batch_without_rows,
    clean_up,
    grow_old,
    ids_of,
)
from wiki_common.coverage import Coverage, Gap
from wiki_common.volume import HOUR
from wiki_consumer.volume.raw_files import read_footer

HOUR_02 = CLOSED[3]
OF_NO_HOUR, OF_THE_OPEN_HOUR = GAPS.values()


def gaps_of(volume: Volume, hour: datetime) -> tuple[Gap, ...]:
    return read_footer(volume.folders.hour_file(hour)).coverage.gaps


def test_a_gap_goes_to_the_hour_that_it_ends_in_or_to_the_next_one_with_rows(with_gaps: Volume) -> None:
    assert with_gaps.maintenance().run().failures == []
    assert [gaps_of(with_gaps, hour) for hour in CLOSED] == [(FIRST_GAP,), (), (), (OF_NO_HOUR,)]


def test_a_file_stays_until_its_gaps_are_in_the_history_and_then_goes(with_gaps: Volume) -> None:
    told, waiting = with_gaps.gaps_that_a_reader_sees(), with_gaps.raw_file_with("1-0")
    assert clean_up(with_gaps).raw_files_deleted == 7  # and this one without its gap
    assert waiting.exists()
    later = NOW + HOUR
    with_gaps.set_batch_clock(8, later)
    grow_old(with_gaps)
    with_gaps.maintenance(now=later).run()
    assert gaps_of(with_gaps, HISTORY_END) == (OF_THE_OPEN_HOUR,)
    grow_old(with_gaps)
    with_gaps.maintenance(now=later).run()
    assert not waiting.exists()
    assert with_gaps.gaps_that_a_reader_sees() == told


def test_a_gap_that_is_told_after_its_hour_was_closed_goes_to_the_next_one(continued: Volume) -> None:
    clean_up(continued)
    gap = Gap(CLOSED[0], CLOSED[0] + HOUR / 2)
    add_batch_without_rows(continued, 9, NOW, Coverage(NOW, (gap,)))
    add_batch_without_rows(continued, 10, NOW + HOUR, Coverage(NOW))
    grow_old(continued)
    continued.maintenance(now=NOW + HOUR).run()
    assert (gaps_of(continued, CLOSED[0]), gaps_of(continued, HISTORY_END)) == ((FIRST_GAP,), (gap,))


def test_an_hour_that_cannot_be_read_holds_up_no_other(with_gaps: Volume) -> None:
    """A gap that it had and that a raw file has still goes to the next hour."""
    with_gaps.set_batch_clock(8, HOUR_02 + timedelta(minutes=35))
    assert with_gaps.maintenance().run().hours_closed == 3
    os.truncate(with_gaps.folders.hour_file(CLOSED[0]), 100)
    with_gaps.set_batch_clock(8, NOW)
    assert with_gaps.maintenance().run().hours_closed == 1
    assert gaps_of(with_gaps, HOUR_02) == (FIRST_GAP, OF_NO_HOUR)


def test_a_wiki_without_changes_keeps_the_files_of_some_minutes_and_those_with_gaps(tmp_path: Path) -> None:
    """Heartbeats leave a file each second, and no hour is ever closed."""
    volume = Volume(tmp_path, ids_of(0))
    for batch in range(6):
        gaps = (Gap(None, NOW),) if batch == 1 else ()
        add_batch_without_rows(volume, batch, NOW, Coverage(NOW, gaps))
    before = volume.raw_files()
    assert volume.maintenance().run().raw_files_deleted == 0
    grow_old(volume)
    report = volume.maintenance().run()
    assert (report.failures, report.raw_files_deleted) == ([], 4)
    assert volume.raw_files() == [before[1], before[5]]
