"""What docs/recovery.md says of run-local is what run-local says and what works."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from docs.pages import ROOT, text_of
from local_stack import services
from local_stack.settings import read_settings

PAGE = text_of(ROOT / "docs/recovery.md")


def _commands(word: str) -> list[str]:
    """The page's commands that begin with `word`, for a shell in the checkout."""
    return re.findall(rf"^    ({word}.*)$", PAGE, re.MULTILINE)


@pytest.fixture
def advice(tmp_path: Path) -> dict[str, str]:
    """What run-local tells when it finds a text in a log, with paths as in a checkout without settings."""
    stages = services.stages(read_settings(simulate=False), tmp_path)
    found = {text: told for stage in stages for service in stage for text, told in service.advice.items()}
    return {text: told.replace(f"{ROOT}/", "") for text, told in found.items()}


def test_the_reset_is_the_command_that_run_local_prints(advice: dict[str, str]) -> None:
    [command] = _commands("DATA_DIR=")
    assert command == advice["python -m wiki_consumer.checkpoint --reset"].splitlines()[-1].strip()


def test_the_reset_runs(tmp_path: Path) -> None:
    [command] = _commands("DATA_DIR=")
    elsewhere = command.replace("DATA_DIR=.local/data", f"DATA_DIR={shlex.quote(str(tmp_path))}")
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(  # noqa: S602 - a line for a shell
        elsewhere, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "there is no checkpoint" in done.stdout


def test_what_helps_a_broker_without_its_zookeeper_is_what_run_local_prints(advice: dict[str, str]) -> None:
    assert "Invalid cluster.id" in PAGE
    [command] = _commands("mv ")
    assert command == advice["Invalid cluster.id"].splitlines()[-1].strip()


def test_the_line_of_a_topic_made_again_is_run_locals(advice: dict[str, str]) -> None:
    [line] = re.findall(r"says `(a topic was gone[^`]*)`", PAGE)
    assert advice["topic created"].startswith(line)
