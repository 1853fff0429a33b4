"""Builds, starts, restarts, kills and removes the demo stack; after each the page must equal the ledger.

With --cluster consumer and page compute on Spark's master and workers, which are killed, and come and go.
"""

import argparse
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.client import HTTPException
from pathlib import Path
from types import FrameType
from typing import NoReturn

from compose_stack import containers, counts, figures
from compose_stack.stack import Failure, Stack, run, wait_until

PATIENCE = 240.0
"""Seconds for anything to come back, on a machine that is busy with other things."""
STOP_SECONDS = {"zookeeper": 30, "kafka": 30}
"""How long a SIGTERM may take; ours 10 s, the broker as long as it needs to hand over."""
LONGEST_REBUILD = 20.0
"""Seconds. Installing the dependencies again would take longer."""
BASE_IMAGE = "python:3.11-slim-bookworm"


class Test:
    """The steps, on one stack; each raises Failure."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._began = time.monotonic()
        self._services = [name for name in stack.services() if name != "topic-init"]

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:4.0f} s] {text}", flush=True)

    def build(self) -> None:
        began = time.monotonic()
        self._stack.build()
        self.say(f"built in {time.monotonic() - began:.0f} s with what the cache held")
        containers.check_shared_layers(figures.IMAGES["spark-consumer"], figures.IMAGES["web"], BASE_IMAGE)
        for service, image in figures.IMAGES.items():
            self.say(
                f"{service}: {figures.image_megabytes(image):.0f} MB, "
                f"{self._rebuild(service, figures.MODULES[service])} after a one-line change of its code, "
                f"{self._rebuild(service, figures.COMMON_MODULE)} of common's"
            )

    def _rebuild(self, service: str, changed: str) -> str:
        seconds = figures.seconds_of_a_rebuild(service, changed)
        if seconds > LONGEST_REBUILD:
            raise Failure(f"{service}: {seconds:.0f} s to build after one more line in {changed}")
        return f"{seconds:.1f} s to build"

    def start(self) -> None:
        began = time.monotonic()
        self._stack.up()
        self._wait_for_rows()
        rows = time.monotonic() - began
        self._wait_for_health()
        self.say(
            f"first row on the page after {rows:.0f} s, all healthy after {time.monotonic() - began:.0f} s"
        )
        containers.check(self._stack, self._services)
        self.say("no root, no capability, read-only root file systems, one port published on loopback")

    def diagnose(self) -> None:
        lines = self._stack.diagnose().splitlines()
        self.say(f"the doctor finds nothing wrong in {len(lines)} checks")

    def compare(self, after: str) -> None:
        """The page shows all that was handed out until now, and exactly that."""
        self._wait_for_health()
        known = len(counts.kept_titles(self._ledger()))
        seconds = wait_until(
            lambda: counts.behind(lambda: counts.ask(self._stack.port), self._ledger, known), timeout=PATIENCE
        )
        self.say(
            f"{after}: the page counts exactly what was handed out, {known} changes or more ({seconds:.0f} s)"
        )

    def restart(self, service: str) -> None:
        container = self._stack.container(service)
        patience = STOP_SECONDS.get(service, 10)
        began = time.monotonic()
        run("docker", "stop", "--time", str(patience), container)
        seconds = time.monotonic() - began
        code = self._stack.inspect(service)["State"]["ExitCode"]
        if code not in ((0, 143) if service in STOP_SECONDS else (0,)):
            raise Failure(f"{service} ended with exit code {code}, {seconds:.1f} s after a SIGTERM")
        run("docker", "start", container)
        self.compare(f"{service} stopped in {seconds:.1f} s and started")

    def kill(self, service: str) -> None:
        self._stack.kill_main_process(service)
        self.compare(f"{service} killed, restarted by its policy")

    def power_off(self) -> None:
        self._stack.compose("kill")
        self._stack.up()
        self.compare("everything killed at once, and up")

    def duckdb(self) -> None:
        """The other engine takes over the same data."""
        self._stack.choose_engine("duckdb")
        self._stack.build()
        containers.check_no_spark(figures.DUCKDB_IMAGE)
        self._stack.up()
        self.compare(f"web on DuckDB, {figures.image_megabytes(figures.DUCKDB_IMAGE):.0f} MB without Java")
        self.memory()

    def down_and_up(self) -> None:
        self._stack.compose("down")
        self._stack.up()
        self.compare("down and up")

    def memory(self) -> None:
        held = figures.memory_megabytes(self._stack, self._services)
        shown = ", ".join(f"{service} {held[service]:.0f}" for service in self._services)
        total = sum(megabytes for service, megabytes in held.items() if service != "simulator")
        self.say(f"memory in MB: {shown}; without the simulator {total:.0f}")

    def remove(self) -> None:
        names = containers.volumes(self._stack, self._services)
        self._stack.remove()
        containers.check_nothing_left(self._stack, names)
        self.say("down -v: nothing left")

    def last_words(self) -> None:
        """Each service's last lines, for a failure."""
        print(self._stack.compose("logs", "--no-color", "--tail", "25"), flush=True)

    def run(self) -> None:
        self.build()
        self.start()
        self.compare("started")
        self.diagnose()
        for service in self._services:
            self.restart(service)
            self.kill(service)
        self.power_off()
        self.memory()
        self.duckdb()
        self.down_and_up()
        self.remove()

    def run_on_a_cluster(self) -> None:
        self._stack.build()
        self.start()
        self.compare("started")
        for service in ("spark-worker", "spark-master", "spark-consumer", "web"):
            self.kill(service)
        for workers in (3, 1):
            self._stack.scale("spark-worker", workers)
            self.compare(f"workers: {workers}")
        self.memory()
        self.remove()

    def _ledger(self) -> str:
        return self._stack.read_file("simulator", "/data/ledger.jsonl")

    def _wait_for_health(self) -> None:
        wait_until(lambda: self._stack.not_healthy(self._services), timeout=PATIENCE)

    def _wait_for_rows(self) -> None:
        def no_rows() -> str | None:
            try:
                return None if counts.ask(self._stack.port).changes else "no row on the page"
            except (OSError, HTTPException) as error:
                return f"the page does not answer: {error}"

        wait_until(no_rows, timeout=PATIENCE)


@contextmanager
def _cluster() -> Iterator[Stack]:
    """A stack on a Spark cluster, with a secret of its own."""
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder, "spark-secret")
        secret.write_text(secrets.token_hex(32), encoding="utf-8")
        Path(folder).chmod(0o755)  # the containers' user reads it
        yield Stack(["compose.cluster.yaml"], {"SPARK_AUTHENTICATE_SECRET_FILE": str(secret)})


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def main() -> int:
    """0 if all holds, 1 if not; raises SystemExit after a signal."""
    parser = argparse.ArgumentParser(prog="compose-test", description=__doc__)
    parser.add_argument("--cluster", action="store_true", help="with compose.cluster.yaml")
    cluster = parser.parse_args().cluster
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    with _cluster() if cluster else nullcontext(Stack()) as stack:
        test = Test(stack)
        try:
            test.run_on_a_cluster() if cluster else test.run()
        except Failure as failure:
            test.last_words()
            test.say(f"FAILED: {failure}")
            return 1
        finally:
            stack.remove()
    test.say("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
