"""What an operator sees of a run-local: the doctor's findings, and the log of a system that is well."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from harness.processes import wait_until
from harness.run_local import RunLocal
from local_stack.broker import ROOT


def diagnosed(env: Mapping[str, str]) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and what was found."""
    ended = subprocess.run(
        [str(ROOT / "scripts/doctor"), "--simulate", "--json"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.stderr == ""
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]


def problems(found: Iterable[dict[str, Any]]) -> list[str]:
    return [each["check"] for each in found if each["status"] == "problem"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunLocal]:
    """With data on its page."""
    folder = tmp_path_factory.mktemp("run")
    with closing(RunLocal(folder, "--simulate", env={"WEB_ENGINE": "duckdb", "LOG_FORMAT": "json"})) as run:
        run.wait_for_line("the page is ready")
        yield run


@pytest.mark.slow
def test_what_goes_well_is_a_line_a_minute(run: RunLocal) -> None:
    """Between two summaries of the page, of a run that has nothing else to say."""

    def summaries() -> list[int]:
        lines = run.process.output().splitlines()
        return [number for number, line in enumerate(lines) if '"page served"' in line]

    wait_until(lambda: len(summaries()) > 1, timeout=200, what="two summaries of the page")
    first, second = summaries()[:2]
    told = run.process.output().splitlines()[first:second]
    events = Counter(json.loads(line.partition("| ")[2])["event"] for line in told)
    # Beside it, what is done every few minutes.
    seldom = {"rows rebased", "hour written"}
    assert {event: count for event, count in events.items() if event not in seldom} == {
        "page served": 1,
        "batches committed": 1,
        "stream relayed": 1,
    }


@pytest.mark.slow
def test_all_is_well_until_the_stream_stands_still(run: RunLocal) -> None:
    code, found = diagnosed(run.env)
    assert {each["service"] for each in found} == {"producer", "consumer", "web"}
    assert (code, problems(found)) == (0, [])
    with run.suspended("stream_simulator"):
        code, found = diagnosed(run.env)
        assert code == 1
        assert problems(found)[0].startswith("stream http")


def test_a_setting_of_run_local_that_is_wrong_is_told() -> None:
    code, [found] = diagnosed({"KAFKA_PORT": "0"})
    assert (code, found["service"], found["check"], found["status"]) == (
        2,
        "run-local",
        "settings",
        "problem",
    )
    assert found["detail"].startswith("KAFKA_PORT=0: ")


def test_a_setting_of_one_service_is_told_by_that_one() -> None:
    code, found = diagnosed({"WEB_WINDOW": "0s"})
    told = [each for each in found if each["check"] == "settings" and each["status"] == "problem"]
    assert (code, [each["service"] for each in told]) == (2, ["web"])
