"""scripts/doctor beside a run-local: all of it is well, and then a part of it is not."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

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


@pytest.mark.slow
def test_all_is_well_until_the_stream_stands_still(tmp_path: Path) -> None:
    with closing(RunLocal(tmp_path, "--simulate", env={"WEB_ENGINE": "duckdb"})) as run:
        run.wait_for_line("the page is ready")
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
