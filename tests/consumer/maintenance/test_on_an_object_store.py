"""The maintenance leaves an object store as it leaves a disk."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from consumer.volumes import MAX_EVENT_AGE, NOW, Volume, clean_up, ignore, what_a_reader_sees
from harness.object_store import copy
from wiki_common.baseline import Covered
from wiki_common.coverage import Gap
from wiki_common.store.bucket import Bucket
from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place, readable
from wiki_common.volume import RawFile
from wiki_consumer.maintenance.maintenance import Maintenance
from wiki_consumer.maintenance.report import Report
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import list_raw_files, read_footer, read_rows
from wiki_web.data.baseline import Baselines


@pytest.fixture
def data(s3_folder: ObjectPath, with_gaps: Volume) -> ObjectPath:
    """The volume after batch 8, in the store."""
    copy(with_gaps.path, s3_folder)
    return s3_folder


def run(data: ObjectPath, now: datetime, on_step: Callable[[str], None] = ignore) -> Report:
    return Maintenance(
        data,
        max_event_age=MAX_EVENT_AGE,
        history_retention=timedelta(days=7),
        clock=lambda: now,
        on_step=on_step,
    ).run()


def seen(volume: ConsumerVolume[Place]) -> dict[str, Counter[str]]:
    files = {raw.name: volume.changes / raw.name for raw in list_raw_files(volume.changes)}
    files |= {hour.isoformat(): volume.hour_file(hour) for hour in volume.hours()}
    return {name: Counter(read_rows(file)["event_id"].to_pylist()) for name, file in files.items()}


def gaps(volume: ConsumerVolume[Place]) -> list[Gap]:
    hours = [volume.hour_file(hour) for hour in volume.hours()]
    return [gap for file in hours for gap in read_footer(file).coverage.gaps]


def test_it_closes_the_same_hours_and_deletes_the_same_files(data: ObjectPath, with_gaps: Volume) -> None:
    assert run(data, NOW).failures == []
    # Its files are as old as this test.
    report = run(data, datetime.now(UTC) + timedelta(hours=1))
    assert report.failures == []
    assert report.raw_files_deleted > 0
    clean_up(with_gaps)
    there, here = ConsumerVolume(data), ConsumerVolume(with_gaps.path)
    assert seen(there) == seen(here)
    assert gaps(there) == gaps(here)
    assert pq.read_table(readable(there.baseline)) == pq.read_table(here.baseline)
    usual = Baselines(data).newest()
    assert usual is not None
    assert usual.covered == Covered.of_footer(pq.read_metadata(here.baseline).metadata)
    assert run(data, datetime.now(UTC) + timedelta(hours=1)).raw_files_deleted == 0


class Ended(BaseException):
    """As by a kill: what is put is whole, or isn't there."""


def ends_after(steps: int) -> Callable[[str], None]:
    left = iter(range(steps - 1))

    def on_step(step: str) -> None:
        if next(left, None) is None:
            raise Ended(step)

    return on_step


def test_runs_that_end_in_the_middle_lose_and_double_nothing(data: ObjectPath) -> None:
    """Each a step later than the one before, until one has nothing more to do."""
    before, ended = what_a_reader_sees(data), Counter[str]()
    for now in (NOW, datetime.now(UTC) + timedelta(hours=1)):
        for steps in range(1, 40):
            try:
                assert run(data, now, ends_after(steps)).failures == []
                break
            except Ended as step:
                ended[str(step)] += 1
            assert what_a_reader_sees(data) == before
        assert what_a_reader_sees(data) == before
    assert ended.keys() >= {"history file written", "history file published", "raw file deleted"}


def test_a_store_that_fails_makes_no_file_unreadable(
    data: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the hours of old files would be closed without them."""
    get = Bucket.get

    def refuse(bucket: Bucket, key: str, **asked: Any) -> object:
        if RawFile.named(*key.split("/")[-2:]) is not None:
            raise OSError("the store answers 503")
        return get(bucket, key, **asked)

    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "get", refuse)
        report = run(data, datetime.now(UTC) + timedelta(days=2))
    assert report.hours_closed == report.raw_files_lost == 0
    assert any("503" in failure for failure in report.failures)
    assert run(data, datetime.now(UTC) + timedelta(days=2)).hours_closed > 0


def test_an_hour_that_another_consumer_has_written_meanwhile_is_left_as_it_is(
    data: ObjectPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two that take each other for gone, the one that comes second starts again from what is there."""
    put = Bucket.put
    written: list[str] = []

    def write_first(bucket: Bucket, key: str, content: bytes, **condition: str | bool) -> str:
        if "/history/" in key and not written:
            written.append(put(bucket, key, b"another consumer's", if_absent=True))
        return put(bucket, key, content, **condition)  # type: ignore[arg-type]

    monkeypatch.setattr(Bucket, "put", write_first)
    report = run(data, NOW)
    assert any("somebody else wrote there before" in failure for failure in report.failures)
    hours = ConsumerVolume(data).hours()
    assert ConsumerVolume(data).hour_file(hours[0]).stat().etag == written[0]
