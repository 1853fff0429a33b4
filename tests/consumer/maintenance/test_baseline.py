"""What is usual: a file of its own, computed after an hour was closed, whole at each step."""

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from consumer.maintenance.test_title_counts import titles_in
from web.committed import NOON, Change, CommittedChanges
from wiki_common.baseline import BASELINE_KEY, Covered
from wiki_common.coverage import Coverage, Gap
from wiki_common.volume import Volume
from wiki_consumer.maintenance.baseline import WEEK
from wiki_consumer.maintenance.maintenance import Maintenance
from wiki_consumer.maintenance.report import Report

HOUR = timedelta(hours=1)


class Killed(BaseException):
    """Stands for a SIGKILL: no handler of errors sees it."""


@pytest.fixture
def history(tmp_path: Path) -> CommittedChanges:
    """Three hours before NOON, watched from half past the first on; "A" was changed in each."""
    committed = CommittedChanges(tmp_path / "data")
    watched_from = Coverage(gaps=(Gap(None, NOON - 2.5 * HOUR),))
    for back in (3, 2, 1):
        changes = [
            Change(NOON - (back - 0.9) * HOUR, "A", f"User {back}"),
            Change(NOON - back * HOUR, f"B{back}"),
        ]
        committed.close_hour(NOON - back * HOUR, changes, watched_from if back == 3 else None)
    return committed


def maintenance(committed: CommittedChanges) -> Maintenance:
    return Maintenance(
        committed.data_dir, max_event_age=HOUR / 2, history_retention=2 * WEEK, clock=lambda: NOON + HOUR
    )


def run(committed: CommittedChanges) -> Report:
    return maintenance(committed).run()


def baseline_of(committed: CommittedChanges) -> tuple[Covered, dict[tuple[str, str], int]]:
    with pq.ParquetFile(Volume(committed.data_dir).baseline, page_checksum_verification=True) as file:
        return Covered.of_footer(file.metadata.metadata), titles_in(file.read())


EXPECTED = {("enwiki", "A"): 3, ("enwiki", "B1"): 1, ("enwiki", "B2"): 1, ("enwiki", "B3"): 1}


def test_it_says_which_time_it_covers_and_has_each_title(history: CommittedChanges) -> None:
    report = run(history)
    assert (report.failures, report.baseline_end) == ([], NOON)
    assert report.baseline_duration is not None
    assert baseline_of(history) == (Covered(NOON - 3 * HOUR, NOON, 2.5 * 3600), EXPECTED)


def test_it_covers_the_last_week_alone(history: CommittedChanges) -> None:
    history.close_hour(NOON - WEEK - HOUR, [Change(NOON - WEEK - HOUR, "Old")])
    history.close_hour(NOON - WEEK, [Change(NOON - WEEK, "Oldest")])
    run(history)
    covered, titles = baseline_of(history)
    assert (covered.start, covered.end) == (NOON - WEEK, NOON)
    assert titles == {**EXPECTED, ("enwiki", "Oldest"): 1}
    # From the end of the hour before the gap up to the gap's end.
    assert covered.watched == WEEK - (WEEK - HOUR - 2.5 * HOUR)


def test_hours_without_changes_were_watched_and_gaps_were_not(history: CommittedChanges) -> None:
    gap = Gap(NOON + 1.5 * HOUR, NOON + 2 * HOUR)
    history.close_hour(NOON + 3 * HOUR, [Change(NOON + 3 * HOUR, "A")], Coverage(gaps=(gap, gap)))
    run(history)
    assert baseline_of(history)[0].watched == 2.5 * HOUR + 4 * HOUR - 0.5 * HOUR


def test_it_is_computed_once_for_each_closed_hour(history: CommittedChanges) -> None:
    kept = maintenance(history)
    assert kept.run().baseline_duration is not None
    assert kept.run().baseline_duration is None
    again = run(history)
    assert (again.baseline_end, again.baseline_duration) == (NOON, None)
    history.close_hour(NOON, [Change(NOON, "A")])
    assert kept.run().baseline_end == NOON + HOUR
    assert baseline_of(history)[1]["enwiki", "A"] == 4


@pytest.mark.parametrize("what", ["damaged", "foreign", "of another layout"])
def test_a_file_that_is_no_baseline_is_replaced(history: CommittedChanges, what: str) -> None:
    file = Volume(history.data_dir).baseline
    if what == "damaged":
        file.write_bytes(b"PAR1 damaged PAR1")
    else:
        rows = pa.table({"title": ["A"]})
        texts = {} if what == "foreign" else {BASELINE_KEY: '{"start": 1}'}
        pq.write_table(rows.replace_schema_metadata(texts), file)
    assert run(history).failures == []
    assert baseline_of(history)[1] == EXPECTED


def test_an_hour_that_cannot_be_read_is_told_and_counts_as_not_watched(history: CommittedChanges) -> None:
    within_it = Coverage(gaps=(Gap(NOON - 1.5 * HOUR, NOON - HOUR),))
    history.close_hour(NOON - HOUR, [Change(NOON - HOUR, "A")], within_it)
    os.truncate(Volume(history.data_dir).hour_file(NOON - 2 * HOUR), 100)
    (failure,) = run(history).failures
    assert failure.startswith("compute the baseline: ")
    covered, titles = baseline_of(history)
    assert covered.watched == 1.5 * HOUR
    assert titles == {("enwiki", "A"): 2, ("enwiki", "B3"): 1}


def test_a_fault_is_told_stops_nothing_and_is_not_tried_again_for_an_hour(history: CommittedChanges) -> None:
    """What takes a minute for all wikis must not be tried each minute."""
    Volume(history.data_dir).baseline.mkdir()
    kept = maintenance(history)
    report = kept.run()
    (failure,) = report.failures
    assert failure.startswith("compute the baseline: [Errno 21] Is a directory")
    assert (report.history_end, report.raw_files) == (NOON, 0)
    assert kept.run().failures == []
    assert len(run(history).failures) == 1


def test_a_kill_after_any_step_leaves_a_whole_file_and_the_next_run_goes_on(
    history: CommittedChanges, tmp_path: Path
) -> None:
    run(history)
    history.close_hour(NOON, [Change(NOON, "A")])
    seen = []
    for step in ("baseline written", "baseline published"):
        copy = CommittedChanges(shutil.copytree(history.data_dir, tmp_path / step))

        def kill(done: str, step: str = step) -> None:
            if done == step:
                raise Killed

        kept = Maintenance(
            copy.data_dir, max_event_age=HOUR / 2, history_retention=2 * WEEK, clock=clock, on_step=kill
        )
        with pytest.raises(Killed):
            kept.run()
        seen.append(baseline_of(copy)[0].end)
        assert run(copy).failures == []
        assert baseline_of(copy) == (
            Covered(NOON - 3 * HOUR, NOON + HOUR, 3.5 * 3600),
            {**EXPECTED, ("enwiki", "A"): 4},
        )
        assert [path.name for path in copy.data_dir.rglob("*baseline*")] == ["baseline.parquet"]
    assert seen == [NOON, NOON + HOUR]


def clock() -> datetime:
    return NOON + 2 * HOUR
