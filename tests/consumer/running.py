"""The consumer as a process of its own or in this one, and what it has committed."""

import os
import signal
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, cast

import psutil
import pyarrow.parquet as pq
from prometheus_client.parser import text_string_to_metric_families
from pyspark.sql import SparkSession

from consumer.volumes import read_ids
from harness import QUIET_TRIGGER
from harness.doctor import doctor
from harness.processes import Process, free_port, jvms, wait_until
from wiki_common.health.probe import ask
from wiki_common.store.place import Place, PlaceT, readable
from wiki_common.volume import BatchId, RawFile
from wiki_consumer.query.supervisor import QuerySupervisor
from wiki_consumer.settings import Settings
from wiki_consumer.status.health import Health
from wiki_consumer.status.metrics import Metrics
from wiki_consumer.volume.raw_files import list_raw_files

ROOT = Path(__file__).parents[2]
JARS = ROOT / ".local/spark-jars"
TIMEOUT = 600.0
LIMIT_SECONDS = 200.0


def kills(usual: int) -> int:
    """How many a test makes: as many as TEST_KILLS says, if it is given."""
    return int(os.environ.get("TEST_KILLS", usual))


class Consumer(Generic[PlaceT]):
    """The consumer on one topic and one volume; it can be started again after its end.

    The volume is `data`, or one in `folder`. `command` comes before the interpreter; `module` is run by it.
    """

    def __init__(
        self,
        folder: Path,
        bootstrap_servers: str,
        topic: str,
        data: PlaceT | None = None,
        /,
        *,
        command: Sequence[str] = (),
        module: str = "wiki_consumer",
        **settings: str,
    ) -> None:
        self._argv = (*command, sys.executable, "-m", module)
        self.data = cast(PlaceT, folder / "data" if data is None else data)
        self.port = free_port()
        self._log = folder / "consumer.log"
        self._env = {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "KAFKA_TOPIC": topic,
            "DATA_DIR": str(self.data),
            "SPARK_JARS_DIR": str(JARS),
            "SPARK_MASTER": "local[2]",
            "METRICS_PORT": str(self.port),
            "BIND_ADDRESS": "127.0.0.1",
            "TRIGGER_INTERVAL": QUIET_TRIGGER,
            **settings,
        }
        self.process: Process | None = None
        self._read = 0

    def start(self) -> Process:
        self._read = len(self.output())
        self.process = Process(self._argv, log=self._log, env=self._env)
        return self.process

    def revive(self) -> None:
        """Start it if it doesn't run, as its supervisor does."""
        if self.process is None or self.process.returncode is not None:
            self.start()

    def run_module(self, module: str, *arguments: str) -> Process:
        """Another entry point with the same settings, until its end."""
        process = Process(
            (sys.executable, "-m", module, *arguments),
            log=self._log.with_name(f"{module}.log"),
            env=self._env,
        )
        process.wait(60)
        return process

    def doctor(self, *options: str) -> tuple[int, list[str]]:
        """Of this consumer: the exit code and the lines."""
        return doctor("wiki_consumer", *options, **self._env)

    def output(self) -> str:
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def health(self) -> tuple[bool, str]:
        return ask("127.0.0.1", self.port)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def value(self, name: str) -> float:
        """Of the metric without labels whose name ends so."""
        families = text_string_to_metric_families(self.get("/metrics"))
        samples = (sample for family in families for sample in family.samples)
        return next(sample.value for sample in samples if sample.name == f"wiki_consumer_{name}")

    def wait_until_healthy(self) -> None:
        wait_until(lambda: self.health()[0], timeout=TIMEOUT, what=f"healthy\n{self._log}", every=0.3)

    def wait_for_ids(self, expected: set[str]) -> None:
        """Until every expected id is committed. Each file is read once: no file changes."""
        missing, read = set(expected), set[RawFile]()

        def all_are_there() -> bool:
            for raw in set(list_raw_files(self.data / "changes")) - read:
                missing.difference_update(read_ids(self.data / "changes" / raw.name))
                read.add(raw)
            return not missing

        wait_until(all_are_there, timeout=TIMEOUT, what=f"all ids in Parquet\n{self._log}", every=0.3)

    def wait_for_more_than(self, rows: int) -> None:
        """Until more rows are committed."""
        wait_until(
            lambda: committed_rows(self.data) > rows,
            timeout=TIMEOUT,
            what=f"more than {rows} rows in Parquet",
        )

    def wait_for_batch_after(self, batch: BatchId | None) -> None:
        """Until a later one is committed."""
        wait_until(
            lambda: last_batch(self.data) != batch,
            timeout=TIMEOUT,
            what=f"a batch after {batch}\n{self._log}",
            every=0.3,
        )

    def wait_for_line(self, text: str) -> None:
        """Until the process that was started last has logged `text`."""
        wait_until(
            lambda: text in self.output()[self._read :],
            timeout=TIMEOUT,
            what=f"{text!r} in {self._log}",
            every=0.3,
        )

    def kill_python_alone(self) -> None:
        """SIGKILL Python; its JVM learns of it a moment later."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def kill_jvm(self) -> None:
        """SIGKILL Spark's JVM alone."""
        assert self.process is not None
        (jvm,) = jvms(psutil.Process(self.process.pid).children())
        jvm.kill()

    def close(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.kill()


def run_here(spark: SparkSession, settings: Settings, *, until: Callable[[], bool], what: str) -> None:
    """The consumer in this process, without maintenance, until `until` holds; raises Broken.

    AssertionError naming `what` after LIMIT_SECONDS.
    """
    deadline = time.monotonic() + LIMIT_SECONDS

    def stopping() -> bool:
        assert time.monotonic() < deadline, what
        return until()

    QuerySupervisor(spark, settings, Health(settings.trigger_interval), Metrics(), stopping).run()


def data_of(settings: Settings) -> Path:
    """Of a consumer whose volume is on a disk."""
    assert isinstance(settings.data_dir, Path)
    return settings.data_dir


def committed_ids(data: Place) -> Counter[str]:
    """How often each event_id is in the files in `changes`."""
    changes = data / "changes"
    ids: Counter[str] = Counter()
    for raw in list_raw_files(changes):
        ids.update(read_ids(changes / raw.name))
    return ids


def committed_rows(data: Place) -> int:
    """How many rows the files in `changes` have, by their footers."""
    changes = data / "changes"
    return sum(pq.read_metadata(readable(changes / raw.name)).num_rows for raw in list_raw_files(changes))


def last_batch(data: Place) -> BatchId | None:
    """The newest that has a file in `changes`; None without any."""
    return max((raw.batch for raw in list_raw_files(data / "changes")), default=None)
