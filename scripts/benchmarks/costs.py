"""What the batches of a running query cost, and where their time goes."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

# Of Spark's own durations, in milliseconds.
_PARTS: Final = {
    "queryPlanning": "planning",
    "walCommit": "log writes",
    "commitOffsets": "log writes",
    "addBatch": "jobs and write",
    "latestOffset": "topic's end",
}
_PROCESS_START: Final = "jdk.ProcessStart"


@dataclass(frozen=True)
class Cost:
    """Of some batches together: CPU seconds of this process, Spark's JVM and its children, and the rest."""

    batches: int
    cpu_seconds: float
    compiles: int
    child_processes: int
    parts: Mapping[str, float]
    """Seconds by what they went to."""

    def __str__(self) -> str:
        """A batch's share."""
        parts = ", ".join(
            f"{name} {1000 * seconds / self.batches:.0f}" for name, seconds in self.parts.items()
        )
        return (
            f"{self.cpu_seconds / self.batches:.3f} CPU s, {self.compiles / self.batches:.2f} compiles and"
            f" {self.child_processes / self.batches:.2f} child processes a batch; ms a batch: {parts}"
        )


class Meter:
    """Counts from its construction to `read`. `writes` are the seconds that each write of a batch took."""

    def __init__(self, spark: SparkSession, writes: list[float]) -> None:
        jvm: Any = spark._jvm
        self._jvm = jvm
        gateway: Any = spark.sparkContext._gateway
        self._gateway = gateway
        self._process = psutil.Process(self._gateway.proc.pid)
        self._writes = writes
        self._recording: Any = self._jvm.jdk.jfr.Recording()
        self._recording.enable(_PROCESS_START)
        self._recording.start()
        self._cpu, self._compiles, self._written = self._cpu_seconds(), self._compiled(), len(writes)

    def read(self, query: StreamingQuery, batches: int) -> Cost:
        """Of the last so many batches."""
        cpu, compiles = self._cpu_seconds() - self._cpu, self._compiled() - self._compiles
        reports = [json.loads(progress.json) for progress in query.recentProgress[-batches:]]
        scale = batches / len(reports) / 1000  # Spark keeps the last hundred
        parts: defaultdict[str, float] = defaultdict(float)
        for report in reports:
            for name, part in _PARTS.items():
                parts[part] += report["durationMs"].get(name, 0) * scale
            parts["state commit"] += sum(each["commitTimeMs"] for each in report["stateOperators"]) * scale
        parts["write"] = sum(self._writes[self._written :])
        parts["jobs"] = parts.pop("jobs and write") - parts["write"] - parts["state commit"]
        return Cost(batches, cpu, compiles, self._child_processes(), parts)

    def _cpu_seconds(self) -> float:
        jvm, this = self._process.cpu_times(), psutil.Process().cpu_times()
        # Of the children those that have ended count.
        return jvm.user + jvm.system + jvm.children_user + jvm.children_system + this.user + this.system

    def _compiled(self) -> int:
        metric = self._jvm.org.apache.spark.metrics.source.CodegenMetrics.METRIC_COMPILATION_TIME()
        count: int = metric.getCount()
        return count

    def _child_processes(self) -> int:
        with tempfile.TemporaryDirectory() as folder:
            file = self._path(Path(folder, "processes.jfr"))
            self._recording.stop()
            self._recording.dump(file)
            self._recording.close()
            number: int = self._jvm.jdk.jfr.consumer.RecordingFile.readAllEvents(file).size()
        return number

    def _path(self, path: Path) -> Any:
        none = self._gateway.new_array(self._jvm.java.lang.String, 0)
        return self._jvm.java.nio.file.Path.of(str(path), none)
