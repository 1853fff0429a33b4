import shlex
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from harness.processes import wait_until
from local.odd_paths import ODD_NAMES
from local_stack.services import Service
from local_stack.supervision import Supervisor, command_line, configuration, new_folder


@pytest.mark.parametrize("name", ODD_NAMES)
def test_supervisord_reads_each_argument_back(tmp_path: Path, name: str) -> None:
    argv = ["program", f"/{name}/a b", name, f"{name} {name}", ";", "#", ""]
    (tmp_path / "logs").mkdir()
    file = tmp_path / "supervisord.conf"
    with file.open("w", encoding="utf-8") as text:
        configuration([Service("one", tuple(argv))], password="secret").write(text)
    options = ServerOptions()
    options.realize(["--configuration", str(file), "--user", "root"])
    [group] = options.process_group_configs
    [process] = group.process_configs
    assert shlex.split(process.command) == ["/usr/bin/env", *argv]


def test_a_command_without_anything_odd_stays_as_it_is() -> None:
    assert command_line(["a", "--b=c d"]) == "a '--b=c d'"


@pytest.fixture(params=ODD_NAMES)
def odd_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / str(request.param)
    folder.mkdir()
    return folder


@pytest.fixture
def supervisor(odd_folder: Path) -> Iterator[Supervisor]:
    script = odd_folder / "says-where"
    script.write_text('#!/bin/sh\necho "$0: $1: $VALUE"\nexit 3\n')
    script.chmod(0o700)
    service = Service("one", (str(script), str(odd_folder)), {"VALUE": str(odd_folder)})
    with closing(Supervisor([service], new_folder(), logs=odd_folder)) as started:
        wait_until(started.answers, timeout=60, what="supervisord answers")
        yield started


def test_a_process_in_an_odd_folder_starts_logs_and_tells_how_it_ended(
    odd_folder: Path, supervisor: Supervisor
) -> None:
    assert not supervisor.states()["one"].has_ended
    supervisor.start("one")
    wait_until(lambda: supervisor.states()["one"].has_ended, timeout=30, what="the process ends")
    state = supervisor.states()["one"]
    assert (state.exit_code, state.ending) == (3, "ended with exit code 3")
    log = (odd_folder / "one.log").read_text(encoding="utf-8")
    assert log == f"{odd_folder}/says-where: {odd_folder}: {odd_folder}\n"
