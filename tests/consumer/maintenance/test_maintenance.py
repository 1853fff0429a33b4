"""Maintenance on volumes that Spark wrote: nothing is lost or counted twice, whatever the disk is like."""

import os
import resource
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consumer.volumes import (
    CLOSED,
    HISTORY_END,
    NOW,
    Volume,
    add_batch_without_rows,
    clean_up,
    contents,
    grow_old,
    ids_of,
)
from harness.processes import wait_until
from wiki_common.volume import RawFile
from wiki_consumer.maintenance import maintenance
from wiki_consumer.maintenance.deletion import GRACE
from wiki_consumer.maintenance.report import Report
from wiki_consumer.maintenance.thread import MaintenanceEnded, MaintenanceThread, run_periodically
from wiki_consumer.volume.raw_files import list_raw_files

LONG_AFTER = NOW + timedelta(days=1)


def test_closes_the_complete_hours_and_says_so(volume: Volume) -> None:
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
    raw, commit = volume.raw_file_with("5-0"), volume.checkpoint / "commits/5"
    held_back = {path: path.rename(tmp_path / path.name) for path in (raw, commit)}
    for batch in (4, 5):
        volume.set_batch_clock(batch, CLOSED[3] + timedelta(minutes=35))

    def list_and_commit(changes: Path) -> list[RawFile]:
        listed = list_raw_files(changes)
        if held_back:
            add_batch_without_rows(volume, 6, NOW)
        while held_back:
            path, kept = held_back.popitem()
            kept.rename(path)
        return listed

    monkeypatch.setattr(maintenance, "list_raw_files", list_and_commit)
    runs = volume.maintenance()

    assert runs.run().failures == []
    assert volume.what_a_reader_sees() == volume.ids
    assert runs.run().history_end == HISTORY_END
    assert volume.what_a_reader_sees() == volume.ids


def test_files_go_when_the_history_has_their_rows_and_the_newest_stays(continued: Volume) -> None:
    before = continued.raw_files()

    report = clean_up(continued)

    assert report.raw_files_deleted == 8
    assert report.raw_bytes_deleted > 0
    assert continued.raw_files() == before[8:]
    assert continued.what_a_reader_sees() == continued.ids


def test_the_newest_batch_stays_though_the_history_has_its_rows(volume: Volume) -> None:
    volume.set_batch_clock(5, NOW + timedelta(hours=1))
    last = volume.raw_files()[-1]
    for _ in range(2):
        grow_old(volume)
        volume.maintenance(now=NOW + timedelta(hours=1)).run()

    assert volume.raw_files() == [last]
    assert volume.what_a_reader_sees() == volume.ids


def test_files_wait_for_readers_that_are_about_to_open_them(volume: Volume) -> None:
    """Until their hour was closed, and they were written, some minutes ago."""
    closed_at = datetime.now(UTC)
    assert volume.maintenance().run().hours_closed == len(CLOSED)

    assert volume.maintenance(now=closed_at + GRACE - timedelta(minutes=1)).run().raw_files_deleted == 0
    young = volume.raw_file_with("0-0")
    os.utime(young, (closed_at.timestamp() + 600,) * 2)
    assert volume.maintenance(now=closed_at + GRACE + timedelta(minutes=1)).run().raw_files_deleted == 7
    assert young.exists()


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
    assert continued.what_a_reader_sees() == continued.ids


def test_a_full_disk_is_reported_and_the_next_run_goes_on(volume: Volume) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        report = volume.maintenance().run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    [failure] = report.failures
    assert failure.startswith("close hours: [Errno 27] File too large")
    assert volume.what_a_reader_sees() == volume.ids
    assert volume.maintenance().run().hours_closed == 4


@pytest.mark.parametrize("content", [b"rubbish", b"\xff"])
@pytest.mark.parametrize("damaged", ["checkpoints/changes/offsets/8"])
def test_an_unreadable_log_is_reported_and_no_row_is_deleted(
    continued: Volume, damaged: str, content: bytes
) -> None:
    path = continued.path / damaged
    path.write_bytes(content)
    report = clean_up(continued)

    assert [path.name in failure for failure in report.failures] == [True]
    assert continued.what_a_reader_sees() == continued.ids
    assert continued.folders.hours() == []


def test_history_past_the_retention_is_deleted_and_stays_deleted(continued: Volume) -> None:
    clean_up(continued)

    report = continued.maintenance(history_retention=timedelta(hours=3)).run()

    assert report.hours_expired == 2
    assert continued.folders.hours() == CLOSED[2:]
    assert continued.maintenance(history_retention=timedelta(hours=3)).run().rows_written == 0


def test_a_clock_far_ahead_deletes_no_history(continued: Volume) -> None:
    clean_up(continued)

    report = continued.maintenance(now=NOW + timedelta(days=3650)).run()

    assert report.hours_expired == 0
    assert continued.folders.hours() == CLOSED


def test_an_empty_volume_needs_nothing(tmp_path: Path) -> None:
    report = Volume(tmp_path, ids_of(0)).maintenance().run()

    assert report == Report(raw_files=0)


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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_it_gives_way_also_in_a_process_that_gives_way_already(volume: Volume) -> None:
    """Only root may go back to a higher priority: a service that tried would end."""
    stop = threading.Event()
    told: list[int] = []

    def tell(report: Report) -> None:
        told.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        stop.set()

    def run() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
        run_periodically(volume.maintenance(), interval=timedelta(0), stop=stop, on_report=tell)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)

    assert told == [19]
    assert os.getpriority(os.PRIO_PROCESS, 0) < 15


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
