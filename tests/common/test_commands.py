"""What every command of every service does alike: refuse and take settings, and log."""

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from common.commands import COMMANDS, CONSUMER, PRODUCER, SIMULATOR, TOPIC_INIT, WEB, Command
from harness.processes import free_port, wait_until

DURATION = "expected a positive whole number with a unit: 500ms, 60s, 30m, 24h, 7d"
PROBES = [name for name in COMMANDS if name.endswith("'s health")]
LEVEL = "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"


@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_settings_are_named_in_a_line_each_and_exit_with_2(tmp_path: Path, name: str) -> None:
    command = COMMANDS[name]
    env = {command.variable: f" {command.wrong}\r", "LOG_LEVEL": "loud"}
    assert command.start(tmp_path, env).wait(60) == 2
    why = "Input should be greater than or equal to 1" if command.variable == "SIMULATOR_RATE" else DURATION
    expected = {
        f"{command.prefix}{command.variable}={command.wrong}: {why}",
        f"{command.prefix}LOG_LEVEL=loud: {LEVEL}",
    }
    lines = [*_lines(tmp_path / "stdout"), *_lines(tmp_path / "stderr")]
    assert sorted(lines) == sorted(expected)


def _padded(**env: object) -> dict[str, str]:
    return {name: f" {value}\r" for name, value in env.items()}


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_takes_padded_values_and_exits_with_1_when_nothing_answers(tmp_path: Path, name: str) -> None:
    port = free_port()
    env = _padded(
        LOG_LEVEL="info", BIND_ADDRESS="127.0.0.1", METRICS_PORT=port, WEB_PORT=port, SIMULATOR_PORT=port
    )
    assert COMMANDS[name].start(tmp_path, env).wait(60) == 1
    [line] = _lines(tmp_path / "stdout")
    assert f"no answer on port {port}: " in line
    assert _lines(tmp_path / "stderr") == []


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, int]]:
    """Where something answers that it is ok: a loopback address, but not the usual one."""
    with ThreadingHTTPServer(("127.0.0.2", free_port()), _Healthy) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield str(server.server_address[0]), server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is one loopback address alone")
@pytest.mark.parametrize("name", PROBES)
def test_a_probe_asks_at_the_address_that_the_service_listens_on(
    tmp_path: Path, name: str, elsewhere: tuple[str, int]
) -> None:
    address, port = elsewhere
    env = {
        "BIND_ADDRESS": address,
        **{f"{part}_PORT": str(port) for part in ("METRICS", "WEB", "SIMULATOR")},
    }
    assert COMMANDS[name].start(tmp_path, env).wait(60) == 0
    assert _lines(tmp_path / "stdout")[-1].startswith("ok")


@pytest.mark.parametrize("name", ["checkpoint", "maintenance"])
def test_a_command_of_the_consumer_takes_padded_values(tmp_path: Path, name: str) -> None:
    """Both say in which folder there is nothing for them to do."""
    COMMANDS[name].start(tmp_path, _padded(LOG_LEVEL="info", DATA_DIR=tmp_path / "data")).wait(60)
    [line] = [*_lines(tmp_path / "stdout"), *_lines(tmp_path / "stderr")]
    assert f"{tmp_path}/data/c" in line


@pytest.mark.parametrize(
    "command", [PRODUCER, TOPIC_INIT, CONSUMER, WEB, SIMULATOR], ids=lambda command: command.argv[0]
)
def test_logs_are_json_on_stdout_with_the_same_keys(tmp_path: Path, command: Command) -> None:
    """Of services that start and, some of them, soon end: there is no broker, and no connector for Spark."""
    (tmp_path / "jars").mkdir()
    env = _padded(
        LOG_LEVEL="info",
        LOG_FORMAT="JSON",
        BIND_ADDRESS="127.0.0.1",
        METRICS_PORT=free_port(),
        WEB_PORT=free_port(),
        SIMULATOR_PORT=free_port(),
        KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{free_port()}",
        KAFKA_CONNECT_TIMEOUT="1s",
        WEB_ENGINE="duckdb",
        DATA_DIR=tmp_path / "data",
        SPARK_JARS_DIR=tmp_path / "jars",
    )
    process = command.start(tmp_path, env)
    try:
        wait_until(
            lambda: len(_lines(tmp_path / "stdout")) > 0 or process.poll() is not None,
            timeout=60,
            what="a line is logged",
        )
    finally:
        process.terminate()
        process.wait(60)
    assert _lines(tmp_path / "stderr") == []
    records = [json.loads(line) for line in _lines(tmp_path / "stdout")]
    assert records
    assert all({"timestamp", "level", "logger", "event"} <= set(record) for record in records)
    assert {record["timestamp"][-1] for record in records} == {"Z"}


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()
