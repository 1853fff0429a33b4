"""scripts/doctor with containers: a command in the place of docker runs what would run in them here."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from compose.files import ROOT
from harness.doctor import findings
from wiki_common.doctor.finding import note

# `ps` tells what runs; `exec` and `run` do it, and write down how they were called.
DOCKER = """#!/usr/bin/env bash
echo "$*" >> "{folder}/calls"
case $2 in
  ps) cat "{folder}/running" ;;
  exec) shift 5; exec {python} "$@" ;;
  run) shift 8; exec {python} "$@" ;;
esac
"""
SERVICES = ("producer", "spark-consumer", "web")


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """Nothing runs."""
    command = tmp_path / "docker"
    command.write_text(DOCKER.format(folder=tmp_path, python=sys.executable))
    command.chmod(0o755)
    (tmp_path / "running").write_text("")
    return tmp_path


def doctor(folder: Path, *options: str, **env: str) -> tuple[int, list[str]]:
    """The exit code and what is written; there is no broker, no stream and no volume."""
    nothing_there = {
        "PATH": path(folder),
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "WIKI_STREAM_URL": "http://127.0.0.1:1/",
        "DATA_DIR": str(folder / "data"),
        "METRICS_PORT": "1",
        "WEB_PORT": "1",
    }
    return findings([str(ROOT / "scripts/doctor"), *options], nothing_there | env)


def path(folder: Path) -> str:
    return f"{folder}:{os.environ['PATH']}"


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def test_what_runs_is_asked_in_its_container_and_what_does_not_in_a_new_one(docker: Path) -> None:
    (docker / "running").write_text("kafka\nspark-consumer\n")
    code, lines = doctor(docker, "--compose")
    assert code == 1
    assert calls(docker)[1:] == [
        "compose run --rm --no-deps -T --entrypoint python producer -m wiki_producer.doctor",
        "compose exec -T spark-consumer python -m wiki_consumer.doctor --running",
        "compose run --rm --no-deps -T --entrypoint python web -m wiki_web.doctor",
    ]
    assert lines[0] == "FAIL producer container: it doesn't run: docker compose logs producer says why"
    assert any(line.startswith("FAIL consumer health: no answer on port 1") for line in lines)
    assert any(line.startswith("FAIL web volume: ") for line in lines)


@pytest.mark.parametrize(
    ("running", "ends_with", "says"),
    [
        ("", 0, "container: it doesn't run: docker compose logs web says why"),
        (
            "producer\nspark-consumer\nweb\n",
            137,
            "doctor: it ended with exit code 137: docker compose logs web",
        ),
    ],
)
def test_a_container_that_does_not_run_or_is_killed_is_a_problem(
    docker: Path, running: str, ends_with: int, says: str
) -> None:
    """Whatever its doctor finds."""
    (docker / "running").write_text(running)
    does = f'[ $2 != ps ] || exec cat "{docker}/running"\nexit {ends_with}\n'
    (docker / "docker").write_text(f"#!/bin/sh\n{does}")
    code, lines = doctor(docker, "--compose")
    assert code == 1
    assert lines[-1] == f"FAIL web {says}"
    assert len(lines) == 3


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_name_in_env_that_no_file_of_compose_has_is_noted(docker: Path, option: tuple[str, ...]) -> None:
    checkout = docker / "checkout"
    (checkout / "scripts").mkdir(parents=True)
    for file in (ROOT / "scripts/doctor", ROOT / "scripts/help.sh", *ROOT.glob("compose*.yaml")):
        shutil.copy(file, checkout / file.relative_to(ROOT))
    (checkout / ".env").write_text(
        "# WIKI_NOTE=1\nWIKI_DOMAIN=de.wikipedia.org\r\n export WEB_WINDOW=1h\nAWS_REGION: eu-west-1\n"
        "COMPOSE_FILE=compose.yaml\nGRAFANA_PORT=3000\nSTATE_DIR=.local"
    )
    (docker / "running").write_text("\n".join(SERVICES))
    (docker / "docker").write_text(f'#!/bin/sh\n[ $2 != ps ] || cat "{docker}/running"\n')
    code, lines = findings([str(checkout / "scripts/doctor"), "--compose", *option], {"PATH": path(docker)})
    names = ("WIKI_DOMAIN", "STATE_DIR")
    told = [note(".env", f"{name} is in no compose*.yaml: nothing reads it") for name in names]
    assert lines == [each.to_json("compose") if option else each.to_text("compose") for each in told]
    assert code == 0


def test_for_machines_every_line_is_an_object(docker: Path) -> None:
    code, lines = doctor(docker, "--compose", "--json")
    found = [json.loads(line) for line in lines]
    assert code == 1
    assert {tuple(each) for each in found} == {("service", "check", "status", "detail")}
    assert [each["service"] for each in found if each["check"] == "container"] == [
        "producer",
        "consumer",
        "web",
    ]


def test_a_wrong_setting_is_graver_than_any_problem(docker: Path) -> None:
    (docker / "running").write_text("\n".join(SERVICES))
    code, lines = doctor(docker, "--compose", WIKI_DOMAINS="enwiki")
    assert code == 2
    assert lines[0].startswith("FAIL producer settings: WIKI_DOMAINS=enwiki: ")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--compos",), "doctor: --compos: expected --compose, --simulate or --json\n"),
        (("--compose", "--simulate"), "doctor: --compose and --simulate: one of them\n"),
    ],
)
def test_other_options_are_refused(options: tuple[str, ...], says: str) -> None:
    ended = subprocess.run(
        [str(ROOT / "scripts/doctor"), *options], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", says)
