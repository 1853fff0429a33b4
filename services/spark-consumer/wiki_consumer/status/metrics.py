"""The consumer's figures for Prometheus."""

import math
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from wiki_common.coverage import Coverage
from wiki_common.process_metrics import watch_process
from wiki_consumer.maintenance.report import Report
from wiki_consumer.query.progress import Batch

LAG: Final = ("lag_records", "lag_seconds")
_BATCH_SECONDS = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2, 5, 10, 30)
_FRESHNESS_SECONDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10, 30, 60, 600)


class Metrics:
    """Counts since this process started, in a registry of its own.

    `last_commit` is the time of the newest commit that an earlier process made.
    """

    def __init__(self, last_commit: datetime | None = None) -> None:
        self.registry = CollectorRegistry()
        watch_process(self.registry, "wiki_consumer_memory_bytes")
        self._counts = {
            name: Counter(f"wiki_consumer_{name}", text, registry=self.registry)
            for name, text in {
                "records": "records read from the topic",
                "heartbeats": "records that only said how far the stream was read",
                "rows": "rows committed to changes",
                "duplicates": "records dropped since their event_id was there already",
                "late": "records dropped since they were older than MAX_EVENT_AGE",
                "future": "records dropped since they were dated in the future",
                "malformed": "records dropped since they had no id, title or time",
                "incomplete": "rows kept with a null for a value of the wrong type or out of range",
            }.items()
        }
        self._duration = Histogram(
            "wiki_consumer_batch_duration_seconds",
            "how long a batch took",
            buckets=_BATCH_SECONDS,
            registry=self.registry,
        )
        # Of all records of a batch the oldest waited longest, the newest shortest.
        self._freshness = Histogram(
            "wiki_consumer_freshness_seconds",
            "from a record's time in the topic, by the producer's clock, to its batch's end, by ours: of each"
            " batch's oldest and newest record",
            ("record",),
            buckets=_FRESHNESS_SECONDS,
            registry=self.registry,
        )
        self._gauges = {
            name: Gauge(f"wiki_consumer_{name}", text, registry=self.registry)
            for name, text in {
                "lag_records": "records in the topic that were not yet read; NaN if unknown",
                "lag_seconds": "age of the newest record read, if there are more; NaN if unknown",
                "state_rows": "event ids remembered",
                "state_bytes": "memory of the state store",
            }.items()
        }
        self._next_offset = Gauge(
            "wiki_consumer_next_offset",
            "offset of the first record that was not yet read",
            ("topic", "partition"),
            registry=self.registry,
        )
        self._clock_skew = Gauge(
            "wiki_consumer_clock_skew_seconds",
            "how far this machine's clock is behind the times of the events; NaN if unknown",
            registry=self.registry,
        )
        self._clock_skew.set(math.nan)
        self._last_commit = None if last_commit is None else time.monotonic() - _age(last_commit)
        self._forget_lag()
        Gauge(
            "wiki_consumer_last_commit_age_seconds",
            "since the last batch was committed",
            registry=self.registry,
        ).set_function(lambda: _since(self._last_commit))
        self._as_of: datetime | None = None
        Gauge(
            "wiki_consumer_as_of_age_seconds",
            "since the time up to which everything is counted, by this machine's clock; NaN if unknown",
            registry=self.registry,
        ).set_function(lambda: _age_or_nan(self._as_of))
        self._gap_seconds = Counter(
            "wiki_consumer_gap_seconds",
            "length of the times, between others, of which nothing is known",
            registry=self.registry,
        )
        self._last_gap = Gauge(
            "wiki_consumer_last_gap_timestamp_seconds",
            "when such a time was found last, since 1970; NaN if none was",
            registry=self.registry,
        )
        self._last_gap.set(math.nan)
        self._failures = Counter(
            "wiki_consumer_query_failures", "times the query had to be started again", registry=self.registry
        )

        self._maintenance_counts = {
            name: Counter(f"wiki_consumer_{name}", text, registry=self.registry)
            for name, text in {
                "hours_closed": "hours written to the history",
                "rows_written": "rows written to the history",
                "bytes_written": "bytes written to the history",
                "rows_recovered": "rows that came after their hour was closed",
                "raw_files_lost": "files that no hour waited for any longer, since they can't be read",
                "raw_files_deleted": "files deleted from changes",
                "raw_bytes_deleted": "bytes deleted from changes",
                "hours_expired": "hours deleted from the history",
            }.items()
        }
        self._maintenance_gauges = {
            name: Gauge(f"wiki_consumer_{name}", text, registry=self.registry)
            for name, text in {
                "raw_files": "files in changes",
            }.items()
        }
        self._last_maintenance: float | None = None
        Gauge(
            "wiki_consumer_maintenance_age_seconds",
            "since the last run of the maintenance ended",
            registry=self.registry,
        ).set_function(lambda: _since(self._last_maintenance))
        self._baseline_end: datetime | None = None
        Gauge(
            "wiki_consumer_baseline_age_seconds",
            "since the end of the week that the baseline covers, by this machine's clock; NaN without one",
            registry=self.registry,
        ).set_function(lambda: _age_or_nan(self._baseline_end))
        self._baseline_duration = Gauge(
            "wiki_consumer_baseline_duration_seconds",
            "how long it took to compute the baseline; NaN if this process has computed none",
            registry=self.registry,
        )
        self._baseline_duration.set(math.nan)
        self._maintenance_failures = Counter(
            "wiki_consumer_maintenance_failures",
            "tasks of the maintenance that failed",
            registry=self.registry,
        )

    def watch_disk(self, folder: Path) -> None:
        """Tell of the disk that `folder` is on; NaN while there is no such folder."""
        Gauge(
            "wiki_consumer_disk_used_bytes",
            "of the disk that DATA_DIR is on: what is used, by whomever",
            registry=self.registry,
        ).set_function(lambda: _disk(folder).used)
        Gauge(
            "wiki_consumer_disk_free_bytes", "of that disk: what is left for us", registry=self.registry
        ).set_function(lambda: _disk(folder).free)

    def counted(self, coverage: Coverage) -> None:
        """What is counted, and which gaps were found just now. What was before the beginning is no gap."""
        self._as_of = coverage.as_of
        found = [gap.end - gap.start for gap in coverage.gaps if gap.start is not None]
        if found:
            self._gap_seconds.inc(sum(gap.total_seconds() for gap in found))
            self._last_gap.set_to_current_time()

    def take(self, batch: Batch) -> None:
        self._last_commit = time.monotonic()
        self._duration.observe(batch.seconds)
        for record, seconds in batch.freshness.items():
            self._freshness.labels(record).observe(seconds)
        for name, counter in self._counts.items():
            counter.inc(getattr(batch, name))
        for name, gauge in self._gauges.items():
            gauge.set(getattr(batch, name))
        for (topic, partition), offset in batch.next_offsets.items():
            self._next_offset.labels(topic, partition).set(offset)
        if batch.clock_skew_seconds is not None:
            self._clock_skew.set(batch.clock_skew_seconds)

    def take_maintenance(self, report: Report) -> None:
        self._last_maintenance = time.monotonic()
        for name, counter in self._maintenance_counts.items():
            counter.inc(getattr(report, name))
        for name, gauge in self._maintenance_gauges.items():
            if (value := getattr(report, name)) is not None:
                gauge.set(value)
        if report.baseline_end is not None:
            self._baseline_end = report.baseline_end
        if report.baseline_duration is not None:
            self._baseline_duration.set(report.baseline_duration)
        self._maintenance_failures.inc(len(report.failures))

    def query_failed(self) -> None:
        self._failures.inc()
        self._forget_lag()

    def _forget_lag(self) -> None:
        for name in LAG:
            self._gauges[name].set(math.nan)


class _Disk(NamedTuple):
    used: float = math.nan
    free: float = math.nan


def _disk(folder: Path) -> _Disk:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return _Disk()
    return _Disk(usage.used, usage.free)


def _since(monotonic: float | None) -> float:
    return math.nan if monotonic is None else time.monotonic() - monotonic


def _age_or_nan(time: datetime | None) -> float:
    return math.nan if time is None else _age(time)


def _age(time: datetime) -> float:
    return max((datetime.now(UTC) - time).total_seconds(), 0.0)
