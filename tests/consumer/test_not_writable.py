"""A volume that belongs to somebody else is told in one line by whatever would write to it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from consumer.running import Consumer
from harness.processes import free_port
from harness.rights import AS_ANYBODY

SAYS = "DATA_DIR can't be written to ("
ADVICE = "let it be owned by the user that the consumer runs as (10001 in its container)"


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A volume with changes and a checkpoint, in which nothing can be made."""
    data = tmp_path / "data"
    for name in ("changes", "checkpoints/changes"):
        (data / name).mkdir(parents=True)
    folders = (data, data / "checkpoints")
    for folder in folders:
        folder.chmod(0o500)
    yield data
    for folder in folders:
        folder.chmod(0o700)


def test_the_consumer_ends_with_it(closed: Path) -> None:
    servers = f"127.0.0.1:{free_port()}"
    with closing(Consumer(closed.parent, servers, "wiki-changes", command=AS_ANYBODY)) as consumer:
        assert consumer.start().wait(120) == 1
        output = consumer.output()
    assert output.count(SAYS) == 1
    assert ADVICE in output
    assert "Traceback" not in output


@pytest.mark.parametrize("command", [("maintenance", "--once"), ("checkpoint", "--reset")])
def test_a_command_ends_with_it(closed: Path, command: tuple[str, str]) -> None:
    module, option = command
    ended = subprocess.run(
        [*AS_ANYBODY, sys.executable, "-m", f"wiki_consumer.{module}", option],
        env={"DATA_DIR": str(closed), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    [line] = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert SAYS in line
    assert line.endswith(ADVICE)
