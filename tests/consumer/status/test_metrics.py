import math
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from consumer.query.test_progress import PROGRESS
from wiki_common.coverage import Coverage, Gap
from wiki_consumer.maintenance.report import Report
from wiki_consumer.query.progress import batch_of
from wiki_consumer.status.metrics import Metrics


def value(metrics: Metrics, name: str) -> float:
    sample = metrics.registry.get_sample_value(f"wiki_consumer_{name}")
    assert sample is not None
    return sample


def test_batches_add_up() -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.take(batch_of(PROGRESS))
    assert value(metrics, "records_total") == 22
    assert value(metrics, "heartbeats_total") == 4
    assert value(metrics, "duplicates_total") == 4
    assert value(metrics, "lag_records") == 12
    assert value(metrics, "batch_duration_seconds_count") == 2


def test_the_way_from_the_topic_to_the_commit_is_told_of_each_batchs_oldest_and_newest_record() -> None:
    metrics = Metrics()
    metrics.take(batch_of(PROGRESS))
    metrics.take(batch_of(PROGRESS | {"observedMetrics": {}, "stateOperators": []}))
    told = {
        (name, record): metrics.registry.get_sample_value(
            f"wiki_consumer_freshness_seconds_{name}", {"record": record}
        )
        for name in ("count", "sum")
        for record in ("oldest", "newest")
    }
    assert told == {
        ("count", "oldest"): 1,
        ("count", "newest"): 1,
        ("sum", "oldest"): 2.5,
        ("sum", "newest"): 1.75,
    }


def test_the_age_of_what_is_counted_is_unknown_until_it_is_told() -> None:
    metrics = Metrics()
    assert math.isnan(value(metrics, "as_of_age_seconds"))
    metrics.counted(Coverage(datetime.now(UTC) - timedelta(hours=1)))
    assert 3600 <= value(metrics, "as_of_age_seconds") < 3660
    metrics.counted(Coverage(datetime.now(UTC) + timedelta(hours=1)))
    assert value(metrics, "as_of_age_seconds") == 0


def test_a_gap_is_told_with_its_length_and_the_time_before_the_beginning_is_none() -> None:
    metrics, began = Metrics(), datetime(2026, 1, 31, 12, tzinfo=UTC)
    minute = timedelta(minutes=1)
    metrics.counted(Coverage(began, (Gap(None, began),)))
    assert math.isnan(value(metrics, "last_gap_timestamp_seconds"))
    assert value(metrics, "gap_seconds_total") == 0
    metrics.counted(Coverage(began, (Gap(began - minute, began), Gap(began + minute, began + 3 * minute))))
    assert 0 <= time.time() - value(metrics, "last_gap_timestamp_seconds") < 60
    assert value(metrics, "gap_seconds_total") == 180
    metrics.counted(Coverage(began))
    assert value(metrics, "gap_seconds_total") == 180


def test_the_disk_is_that_of_the_folder_once_it_is_there(tmp_path: Path) -> None:
    metrics, folder = Metrics(), tmp_path / "data"
    metrics.watch_disk(folder)
    assert math.isnan(value(metrics, "disk_free_bytes"))
    folder.mkdir()
    usage = shutil.disk_usage(folder)
    told = value(metrics, "disk_used_bytes") + value(metrics, "disk_free_bytes")
    assert abs(told - usage.used - usage.free) < 0.01 * usage.total


def test_how_far_each_partition_is_read() -> None:
    metrics = Metrics()
    metrics.take(batch_of(PROGRESS))
    offset = metrics.registry.get_sample_value(
        "wiki_consumer_next_offset", {"topic": "wiki-changes", "partition": "1"}
    )
    assert offset == 4


def test_the_lag_is_unknown_without_a_query() -> None:
    metrics = Metrics()
    assert math.isnan(value(metrics, "lag_records"))
    metrics.take(batch_of(PROGRESS))
    metrics.query_failed()
    assert math.isnan(value(metrics, "lag_records"))
    assert math.isnan(value(metrics, "lag_seconds"))
    assert value(metrics, "state_rows") == 40


def test_the_last_commit_may_be_an_earlier_process() -> None:
    assert math.isnan(value(Metrics(), "last_commit_age_seconds"))
    metrics = Metrics(datetime.now(UTC) - timedelta(hours=1))
    assert 3600 <= value(metrics, "last_commit_age_seconds") < 3660
    metrics.take(batch_of(PROGRESS))
    assert value(metrics, "last_commit_age_seconds") < 60


def test_runs_of_the_maintenance_add_up() -> None:
    metrics = Metrics()
    assert math.isnan(value(metrics, "maintenance_age_seconds"))
    for files in (7, 5):
        metrics.take_maintenance(
            Report(hours_closed=1, raw_files_lost=1, raw_files=files, failures=["a", "b"])
        )
    assert value(metrics, "hours_closed_total") == 2
    assert value(metrics, "raw_files_lost_total") == 2
    assert value(metrics, "maintenance_failures_total") == 4
    assert value(metrics, "raw_files") == 5
    assert value(metrics, "maintenance_age_seconds") < 60


def test_a_run_that_could_not_look_at_the_volume_leaves_the_number_of_files() -> None:
    metrics = Metrics()
    metrics.take_maintenance(Report(raw_files=7))
    metrics.take_maintenance(Report(failures=["look at the volume: [Errno 5] Input/output error"]))
    assert value(metrics, "raw_files") == 7


def test_the_baseline_is_the_last_one_that_was_computed() -> None:
    metrics = Metrics()
    names = ("baseline_age_seconds", "baseline_duration_seconds")
    assert [math.isnan(value(metrics, name)) for name in names] == [True, True]
    hour = timedelta(hours=1)
    metrics.take_maintenance(Report(baseline_end=datetime.now(UTC) - 2 * hour))
    assert math.isnan(value(metrics, "baseline_duration_seconds"))
    metrics.take_maintenance(Report(baseline_end=datetime.now(UTC) - hour, baseline_duration=4.5))
    metrics.take_maintenance(Report())
    assert 3600 <= value(metrics, "baseline_age_seconds") < 3660
    assert value(metrics, "baseline_duration_seconds") == 4.5


def test_the_clocks_skew_is_that_of_the_last_batch_with_events() -> None:
    metrics = Metrics()
    assert math.isnan(value(metrics, "clock_skew_seconds"))
    metrics.take(batch_of(PROGRESS))
    metrics.take(batch_of(PROGRESS | {"observedMetrics": {}, "stateOperators": []}))
    assert value(metrics, "clock_skew_seconds") == 600.5
