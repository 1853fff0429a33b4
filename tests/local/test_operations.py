"""What an operator sees of a run-local: the doctor's findings, and the log of a system that is well."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from harness.doctor import findings
from harness.processes import wait_until
from harness.run_local import RunLocal
from local_stack import state_lock
from local_stack.broker import ROOT


def diagnosed(env: Mapping[str, str]) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and what was found."""
    code, lines = findings([str(ROOT / "scripts/doctor"), "--simulate", "--json"], env, timeout=240)
    return code, [json.loads(line) for line in lines]


def problems(found: Iterable[dict[str, Any]]) -> list[str]:
    return [each["check"] for each in found if each["status"] == "problem"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunLocal]:
    """With data on its page."""
    folder = tmp_path_factory.mktemp("run")
    env = {"WEB_ENGINE": "duckdb", "LOG_FORMAT": "json"}
    with closing(RunLocal(folder, "--simulate", env=env)) as run:
        run.wait_for_line("the page is ready")
        yield run


def logged(run: RunLocal, service: str) -> list[dict[str, Any]]:
    """Without what Java itself says at its start."""
    file = Path(run.env["STATE_DIR"], "simulate/logs", f"{service}.log")
    lines = file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if not line.startswith("WARNING: ")]


@pytest.mark.slow
def test_what_goes_well_is_a_line_a_minute(run: RunLocal) -> None:
    """In the minute between two summaries of the page."""

    def moments() -> list[str]:
        return [line["timestamp"] for line in logged(run, "web") if line["event"] == "page served"]

    wait_until(lambda: len(moments()) > 1, timeout=200, what="two summaries of the page", every=1)
    first, second = moments()[:2]
    summary = {"producer": "stream relayed", "consumer": "batches committed", "web": "page served"}
    # What is done every few minutes is told as well.
    seldom = {"rows rebased", "hour written"}
    for service, event in summary.items():
        minute = [line for line in logged(run, service) if first < line["timestamp"] <= second]
        told = [line["event"] for line in minute if line["event"] not in seldom]
        assert set(told) <= {event}
        assert len(told) <= 2, "a minute of the page's is not quite one of theirs"
        assert event in [line["event"] for line in logged(run, service)]


@pytest.mark.slow
def test_all_is_well_until_the_stream_stands_still(run: RunLocal) -> None:
    code, found = diagnosed(run.env)
    assert {each["service"] for each in found} == {"producer", "consumer", "web"}
    assert (code, problems(found)) == (0, [])
    with run.suspended("stream_simulator"):
        code, found = diagnosed(run.env)
        assert code == 1
        assert problems(found)[0].startswith("stream http")


@pytest.mark.parametrize(
    ("asked", "running", "told"),
    [
        ((), "simulate", "what runs here was started with --simulate: ask ./scripts/doctor --simulate"),
        (("--simulate",), ".", "what runs here was started without --simulate: ask ./scripts/doctor"),
    ],
)
def test_who_asks_about_the_other_run_is_told_of_it_alone(
    tmp_path: Path, asked: tuple[str, ...], running: str, told: str
) -> None:
    with closing(state_lock.take(tmp_path / running)):
        found = findings([str(ROOT / "scripts/doctor"), *asked], {"STATE_DIR": str(tmp_path)})
    assert found == (1, [f"FAIL run-local run: {told}"])


def test_a_setting_of_run_local_that_is_wrong_is_told() -> None:
    code, [found] = diagnosed({"KAFKA_PORT": "0"})
    assert (code, found["service"], found["check"], found["status"]) == (
        2,
        "run-local",
        "settings",
        "problem",
    )
    assert found["detail"].startswith("KAFKA_PORT=0: ")


def test_a_variable_that_is_almost_a_setting_of_run_local_is_noted(tmp_path: Path) -> None:
    with closing(state_lock.take(tmp_path / "simulate")):
        _, lines = findings(
            [str(ROOT / "scripts/doctor")], {"STATE_DIR": str(tmp_path), "KAFKA_PROT": "9093"}
        )
    assert lines[0] == "note run-local settings: KAFKA_PROT is not a setting; is KAFKA_PORT meant?"


def test_a_setting_of_one_service_is_told_by_that_one() -> None:
    code, found = diagnosed({"WEB_WINDOW": "0s"})
    told = [each for each in found if each["check"] == "settings" and each["status"] == "problem"]
    assert (code, [each["service"] for each in told]) == (2, ["web"])
