"""scripts/run-local as a user runs it: what it refuses, and that it never leaves a process behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from harness.processes import free_port, wait_until
from harness.run_local import RunLocal

Start = Callable[..., RunLocal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts run-local with arguments and environment; nothing of it outlives the test."""
    with ExitStack() as runs:
        yield lambda *arguments, **env: runs.enter_context(closing(RunLocal(tmp_path, *arguments, env=env)))


def test_a_wrong_setting_ends_it_before_anything_starts(start: Start) -> None:
    run = start("--simulate", KAFKA_TOPIC_PARTITIONS="zero")
    assert run.process.wait(60) == 2
    [line] = [line for line in run.process.output().splitlines() if not line.startswith("setup:")]
    assert line.startswith("run-local: KAFKA_TOPIC_PARTITIONS=zero: ")


def test_an_unknown_argument_is_named(start: Start) -> None:
    run = start("--simulat")
    assert run.process.wait(60) == 2
    assert "unrecognized arguments: --simulat" in run.process.output()


def test_a_wrong_number_is_named_with_what_is_allowed(start: Start) -> None:
    run = start("--simulate", "--for", "soon")
    assert run.process.wait(60) == 2
    assert "--for: 'soon' is not a number from 0.1 to " in run.process.output()


def test_observe_without_prometheus_says_how_to_get_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local_stack", "--observe"],
        env=os.environ | {"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "run-local: --observe: prometheus is not on the PATH" in done.stderr
    assert "sudo apt install prometheus" in done.stderr


def test_a_used_port_is_named_before_anything_starts(start: Start) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        run = start("--simulate", WEB_PORT=str(port))
        assert run.process.wait(60) == 1
    assert f"run-local: WEB_PORT={port} is in use" in run.process.output()
    assert "starting" not in run.process.output()


def test_a_folder_that_cannot_be_made_is_named(start: Start) -> None:
    run = start("--simulate", STATE_DIR="/dev/null/state")
    assert run.process.wait(60) == 1
    assert "run-local: STATE_DIR=/dev/null/state/simulate can't be written to: " in run.process.output()


def test_a_setting_that_a_service_refuses_when_it_starts_ends_everything_at_once(start: Start) -> None:
    run = start("--simulate", SIMULATOR_LEDGER="/nowhere/ledger.jsonl")
    assert run.process.wait(240) == 2
    output = run.process.output()
    assert "run-local  | simulator refuses its settings" in output
    assert output.count("run-local  |   SIMULATOR_LEDGER=/nowhere/ledger.jsonl") == 1
    run.wait_until_nothing_is_left()


def test_what_the_others_need_is_tried_three_times_at_the_start(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "state/simulate/broker"
    folder.mkdir(parents=True)
    (folder / "zookeeper").write_text("no folder")
    run = start("--simulate")
    assert run.process.wait(240) == 1
    output = run.process.output()
    assert output.count("WARN exited: zookeeper") == 3
    assert "run-local  | zookeeper can't be kept running" in output
    run.wait_until_nothing_is_left()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_page_goes_on_while_another_service_cannot_start(start: Start) -> None:
    port = free_port()
    run = start("--simulate", PRODUCER_METRICS_PORT=str(port), WEB_ENGINE="duckdb")
    run.wait_for_line("the page is ready")
    producer = run.service("wiki_producer")
    assert producer is not None
    producer.kill()
    run.wait_for_line("WARN exited: producer")
    with closing(_listening(port)):

        def has_failed_often() -> bool:
            run.assert_runs()
            return run.process.output().count("WARN exited: producer") > 4

        wait_until(has_failed_often, timeout=120, what="the producer is started again and again")
        assert run.get("/api/v1/top")["titles"]
    # Only the first of them is told, with what it said last.
    output = run.process.output()
    assert output.count("run-local  | producer is started again in 1 s") == 1
    assert output.count("run-local  | producer was killed") == 1
    wait_until(lambda: "resuming" in run.process.output(), timeout=90, what="the producer reads the stream")
    assert run.stop() == 0


def _listening(port: int) -> socket.socket:
    """A server on `port`, which the process that has just left it may still seem to use."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


def test_an_unreachable_stream_and_broker_are_said_so(start: Start) -> None:
    stream, broker = (f"127.0.0.1:{free_port()}" for _ in range(2))
    run = start(
        WIKI_STREAM_URL=f"http://{stream}/v2/stream/recentchange",
        KAFKA_BOOTSTRAP_SERVERS=broker,
        KAFKA_CONNECT_TIMEOUT="2s",
        SIMULATOR_RATES="100",
    )
    assert run.process.wait(240) == 1
    output = run.process.output()
    assert "WARNING: SIMULATOR_RATES is not a setting; is SIMULATOR_RATE meant?" in output
    assert f"WARNING: http://{stream}/v2/stream/recentchange can't be read now: " in output
    assert "./scripts/run-local --simulate" in output
    assert broker in output
    assert "Traceback" not in output
    assert "topic-init ended with exit code 1" in output
    run.wait_until_nothing_is_left()


def test_killed_it_leaves_nothing(start: Start) -> None:
    run = start("--simulate")
    run.wait_for_line("topic created")
    assert len(run.processes()) > 4
    run.process.kill()
    run.wait_until_nothing_is_left()


@pytest.mark.slow
@pytest.mark.parametrize("part", ["supervisor.supervisord", "local_stack.guard"])
def test_it_ends_when_what_supervises_its_processes_is_killed(start: Start, part: str) -> None:
    run = start("--simulate")
    run.wait_for_line("topic created")
    [victim] = [each for each in run.processes() if part in each.cmdline()]
    victim.kill()
    assert run.process.wait(60) == 1
    assert "the process supervisor has ended" in run.process.output()
    run.wait_until_nothing_is_left()


@pytest.mark.slow
def test_a_closed_terminal_ends_it(start: Start) -> None:
    run = start("--simulate")
    run.wait_for_line("topic created")
    assert run.stop(signal.SIGHUP) == 0
    run.wait_until_nothing_is_left()


def test_a_second_run_is_told_of_the_first_one_alone(start: Start) -> None:
    """It would have the same ports as well."""
    first = start("--simulate")
    first.wait_for_line("starting topic-init")  # its broker listens
    same_ports = {name: first.env[name] for name in ("WEB_PORT", *first.ports)}
    second = start("--simulate", **same_ports)
    assert second.process.wait(60) == 1
    assert "is in use by another run-local" in second.process.output()
    assert "is in use by another program" not in second.process.output()


@pytest.mark.slow
def test_a_simulated_run_shows_a_page_and_ends_in_time(start: Start) -> None:
    """In a tenth of it, unless the machine is busy."""
    run = start("--simulate", "--for", "150", WEB_ENGINE="duckdb")
    run.wait_for_line("the page is ready")

    def has_titles() -> bool:
        answer = run.get("/api/v1/top")
        return answer is not None and len(answer["titles"]) > 0

    wait_until(has_titles, timeout=60, what="the page lists titles")
    assert run.process.wait(180) == 0
    run.wait_until_nothing_is_left()
