"""What run-local says and does when records of the broker are gone, and whether its advice helps."""

import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from harness.processes import free_port, wait_until
from harness.run_local import RunLocal
from local_stack.broker import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

Start = Callable[..., RunLocal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts run-local --simulate with environment, each time with the same data and another log."""
    logs = (tmp_path / f"run-{number}" for number in itertools.count(1))
    with ExitStack() as runs:

        def start_one(**env: str) -> RunLocal:
            env = {"STATE_DIR": str(tmp_path / "state"), "WEB_ENGINE": "duckdb", **env}
            return runs.enter_context(closing(RunLocal(next(logs), "--simulate", env=env)))

        yield start_one


def _advised_command(run: RunLocal, word: str) -> str:
    """The command with `word` that run-local has printed last."""
    lines = (line.partition(" | ")[2] for line in run.process.output().splitlines() if "run-local" in line)
    return [line.strip() for line in lines if line.startswith("  ") and word in line][-1]


def _newest_commit(run: RunLocal) -> str:
    return str(run.get("/api/v1/timeline")["minutes"][-1]["to"])


def test_a_deleted_topic_is_made_again_and_the_advised_command_brings_the_changes_back(start: Start) -> None:
    port = free_port()
    run = start(KAFKA_PORT=str(port))
    run.wait_for_line("the page is ready")
    with closing(KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}")) as admin:
        admin.delete_topics(["wiki-changes"])
    run.wait_for_line("a topic was gone and has been made again")
    run.wait_for_line("run this in another terminal", timeout=120)
    assert run.get("/api/v1/top")["titles"]

    command = _advised_command(run, "--reset")

    def is_reset() -> bool:
        done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)  # noqa: S602
        return done.returncode == 0 and "The checkpoint is now" in done.stdout

    wait_until(is_reset, timeout=120, what="the reset finds the consumer not running", every=1)
    before = _newest_commit(run)
    wait_until(lambda: _newest_commit(run) > before, timeout=180, what="the page counts on", every=1)
    assert run.stop() == 0


def test_a_broker_without_its_zookeepers_data_says_how_to_go_on(start: Start, tmp_path: Path) -> None:
    first = start()
    first.wait_for_line("topic created")
    assert first.stop() == 0
    shutil.rmtree(tmp_path / "state/simulate/broker/zookeeper")

    second = start()
    assert second.process.wait(240) == 1
    command = _advised_command(second, "mv ")
    subprocess.run(command, shell=True, cwd=ROOT, check=True)  # noqa: S602

    third = start()
    third.wait_for_line("starting consumer")
