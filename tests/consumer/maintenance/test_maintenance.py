"""Maintenance on volumes that Spark wrote: nothing is lost or counted twice, whatever the disk is like."""

import os
import resource
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from consumer.volumes import (
    CLOSED,
    HISTORY_END,
    NOW,
    Volume,
    add_batch_without_rows,
    add_leftovers_of_a_crash,
    clean_up,
    contents,
    ids_of,
)
from harness.processes import wait_until
from wiki_consumer.maintenance import maintenance
from wiki_consumer.maintenance.report import Report
from wiki_consumer.maintenance.thread import MaintenanceEnded, MaintenanceThread, run_periodically
from wiki_consumer.volume.raw_files import GRACE
from wiki_consumer.volume.sink_log import SinkLog, read_sink_log

LONG_AFTER = NOW + timedelta(days=1)


def test_closes_the_settled_hours_and_says_so(volume: Volume) -> None:
    report = volume.maintenance().run()

    assert volume.folders.hours() == CLOSED
    assert report.history_end == HISTORY_END
    assert (report.hours_closed, report.rows_written, report.failures) == (4, 12, [])
    assert report.bytes_written == sum(volume.folders.hour_file(hour).stat().st_size for hour in CLOSED)
    assert volume.what_a_reader_sees() == volume.ids


def test_a_second_run_finds_nothing_to_do(volume: Volume) -> None:
    volume.maintenance().run()
    before = contents(volume)

    report = volume.maintenance().run()

    assert (report.hours_closed, report.raw_files_deleted) == (0, 0)
    assert contents(volume) == before


def test_an_hour_is_open_while_a_batch_may_write_to_it(volume: Volume) -> None:
    volume.set_batch_clock(5, CLOSED[1] + timedelta(hours=1, minutes=34))
    assert volume.maintenance(now=LONG_AFTER).run().hours_closed == 1

    volume.set_batch_clock(5, CLOSED[1] + timedelta(hours=1, minutes=35))
    assert volume.maintenance(now=LONG_AFTER).run().hours_closed == 1
    assert volume.folders.hours() == CLOSED[:2]


def test_an_interrupted_batch_keeps_the_hours_open_that_it_may_write_to(volume: Volume) -> None:
    (volume.checkpoint / "commits/5").unlink()
    volume.set_batch_clock(5, CLOSED[0] + timedelta(hours=1, minutes=35))
    volume.set_batch_clock(4, CLOSED[0] + timedelta(hours=1, minutes=35))

    volume.maintenance(now=LONG_AFTER).run()

    assert volume.folders.hours() == CLOSED[:1]


def test_batches_that_commit_during_a_run_close_no_hour_without_their_rows(
    volume: Volume, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One that began long ago and has rows of an hour, and one after it whose clock says the hour is over."""
    raw, log, commit = (
        volume.raw_file_with("5-0"),
        volume.changes / "_spark_metadata/5.compact",
        volume.checkpoint / "commits/5",
    )
    held_back = {path: path.rename(tmp_path / path.name) for path in (raw, log, commit)}
    for batch in (4, 5):
        volume.set_batch_clock(batch, CLOSED[3] + timedelta(minutes=35))

    def read_and_commit(changes: Path) -> SinkLog:
        read = read_sink_log(changes)
        if held_back:
            add_batch_without_rows(volume, 6, NOW)
        while held_back:
            path, kept = held_back.popitem()
            kept.rename(path)
        return read

    monkeypatch.setattr(maintenance, "read_sink_log", read_and_commit)
    runs = volume.maintenance()

    assert runs.run().failures == []
    assert volume.what_a_reader_sees() == volume.ids
    assert runs.run().history_end == HISTORY_END
    assert volume.what_a_reader_sees() == volume.ids


def test_no_hour_is_closed_while_rows_of_a_new_checkpoint_are_staged(volume: Volume) -> None:
    staging = volume.path / "staging"
    staging.mkdir()
    assert volume.maintenance().run().hours_closed == 0

    staging.rmdir()
    assert volume.maintenance().run().hours_closed == len(CLOSED)


def test_committed_files_are_kept_as_long_as_the_log_names_them(volume: Volume) -> None:
    before = volume.raw_files()

    assert clean_up(volume).raw_files_deleted == 0
    assert volume.raw_files() == before


def test_files_out_of_the_log_go_when_the_history_has_their_rows(continued: Volume) -> None:
    report = clean_up(continued)

    assert report.raw_files_deleted == 6
    assert report.raw_bytes_deleted > 0
    assert {"0-0", "4-1"} <= continued.what_a_reader_sees().keys()
    assert set(continued.what_a_reader_sees().values()) == {1}


def test_in_the_consumer_files_wait_for_the_next_batch_and_the_grace(continued: Volume) -> None:
    seconds = 0.0
    runs = continued.maintenance(monotonic=lambda: seconds)
    assert runs.run().raw_files_deleted == 0
    seconds = GRACE.total_seconds()
    assert runs.run().raw_files_deleted == 0

    metadata = continued.changes / "_spark_metadata"
    (metadata / "9").write_text("v1")

    assert runs.run().raw_files_deleted > 0


def test_by_hand_files_wait_while_a_reader_may_have_read_the_log(continued: Volume) -> None:
    os.utime(continued.changes / "_spark_metadata", (NOW.timestamp(),) * 2)

    assert continued.maintenance().run(consumer_runs=False).raw_files_deleted == 0


def test_rows_of_an_open_hour_stay_though_the_log_dropped_them(continued: Volume) -> None:
    """The machine slept for longer than the log's retention: 3:05 was in it, is not, and its hour is open."""
    clean_up(continued)
    assert "5-1" not in continued.what_a_reader_sees()
    assert continued.raw_file_with("5-1").exists()

    continued.set_batch_clock(8, NOW + timedelta(hours=1))
    for now in (NOW + timedelta(hours=1), LONG_AFTER):
        report = continued.maintenance(now=now).run(consumer_runs=False)

    assert report.failures == []
    assert continued.what_a_reader_sees() == continued.ids


def test_rows_that_the_history_lacks_are_written_to_it_before_their_file_goes(continued: Volume) -> None:
    late = continued.raw_file_with("1-0")
    hidden = late.rename(continued.path / late.name)
    clean_up(continued)
    assert "1-0" not in continued.what_a_reader_sees()
    late.parent.mkdir(exist_ok=True)
    hidden.rename(late)

    report = clean_up(continued)

    assert report.rows_recovered == 2
    assert not late.exists()
    assert {"1-0", "1-1"} <= continued.what_a_reader_sees().keys()


def test_leftovers_of_a_crash_count_for_nothing_and_go(continued: Volume) -> None:
    add_leftovers_of_a_crash(continued)
    clean_up(continued)

    assert not list(continued.changes.glob("date=*/part-00000-1.parquet"))
    assert not list(continued.changes.glob("date=*/.part-00000-1.parquet.crc"))
    assert set(continued.what_a_reader_sees().values()) == {1}


def test_a_full_disk_is_reported_and_the_next_run_goes_on(volume: Volume) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        report = clean_up(volume)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    [failure] = report.failures
    assert failure.startswith("close hours: [Errno 27] File too large")
    assert volume.what_a_reader_sees() == volume.ids
    assert clean_up(volume).hours_closed == 4


@pytest.mark.parametrize("content", [b"rubbish", b"\xff"])
@pytest.mark.parametrize("damaged", ["changes/_spark_metadata/8.compact", "checkpoints/changes/offsets/8"])
def test_an_unreadable_log_is_reported_and_nothing_is_deleted(
    continued: Volume, damaged: str, content: bytes
) -> None:
    path = continued.path / damaged
    path.write_bytes(content)
    before = continued.raw_files()

    report = clean_up(continued)

    assert [path.name in failure for failure in report.failures] == [True]
    assert continued.raw_files() == before
    assert continued.folders.hours() == []


def test_history_past_the_retention_is_deleted_and_stays_deleted(continued: Volume) -> None:
    clean_up(continued)

    report = continued.maintenance(history_retention=timedelta(hours=3)).run(consumer_runs=False)

    assert report.hours_expired == 2
    assert continued.folders.hours() == CLOSED[2:]
    assert continued.maintenance(history_retention=timedelta(hours=3)).run().rows_written == 0


def test_a_clock_far_ahead_deletes_no_history(continued: Volume) -> None:
    clean_up(continued)

    report = continued.maintenance(now=NOW + timedelta(days=3650)).run(consumer_runs=False)

    assert report.hours_expired == 0
    assert continued.folders.hours() == CLOSED


def test_an_empty_volume_needs_nothing(tmp_path: Path) -> None:
    report = Volume(tmp_path, ids_of(0)).maintenance().run()

    assert report == Report(raw_files=0, committed_files=0)


def test_runs_at_once_and_again_until_it_is_stopped(volume: Volume) -> None:
    stop = threading.Event()
    reports: list[Report] = []

    def collect(report: Report) -> None:
        reports.append(report)
        if len(reports) == 2:
            stop.set()

    thread = threading.Thread(
        target=run_periodically,
        args=(volume.maintenance(),),
        kwargs={"interval": timedelta(milliseconds=1), "stop": stop, "on_report": collect},
    )
    thread.start()
    thread.join(60)

    assert not thread.is_alive()
    assert [report.hours_closed for report in reports] == [4, 0]


def test_an_unexpected_error_ends_it_with_the_reason(volume: Volume) -> None:
    def fail(step: str) -> None:
        raise KeyError(step)

    reports: list[Report] = []
    thread = MaintenanceThread(
        volume.maintenance(on_step=fail), interval=timedelta(milliseconds=1), on_report=reports.append
    )
    thread.start()
    wait_until(thread.failed, timeout=60, what="it has failed")

    with pytest.raises(MaintenanceEnded, match=r"KeyError\('history file written'\)"):
        thread.raise_failure()
    assert reports == []


def test_the_retention_follows_what_is_not_compacted(volume: Volume) -> None:
    written = max(path.stat().st_mtime for path in volume.raw_files())
    days_later = volume.maintenance(now=NOW.fromtimestamp(written, NOW.tzinfo) + timedelta(days=2))

    retention = days_later.safe_retention()

    assert timedelta(days=4) <= retention < timedelta(days=4, hours=1)
    assert days_later.retention_fits(retention)
    assert not days_later.retention_fits(timedelta(hours=3))
