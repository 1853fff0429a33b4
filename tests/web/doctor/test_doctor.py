"""The doctor of web as a process, beside a running page and without one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.doctor import doctor, problems
from harness.processes import free_port
from harness.rights import AS_ANYBODY
from web.browser.running_web import RunningWeb
from web.committed import Change, CommittedChanges, now
from wiki_common.coverage import Coverage
from wiki_common.doctor.finding import Level
from wiki_web.doctor.page import clock_finding

WEB = "wiki_web"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWeb]:
    with RunningWeb(tmp_path_factory.mktemp("web")) as web:
        yield web


def test_a_page_is_asked_what_it_shows(web: RunningWeb) -> None:
    """Without data, and once it has some."""
    env = {"WEB_PORT": web.url.rpartition(":")[2], "BIND_ADDRESS": "127.0.0.1", "DATA_DIR": str(web.data_dir)}
    committed = CommittedChanges(web.data_dir)
    code, lines = doctor(WEB, "--running", **env)
    assert code == 1
    [empty] = problems(lines)
    assert empty.startswith("page: ")
    assert empty.endswith("what comes before it is checked by the others' doctors")

    committed.commit(Change(now()), covered=Coverage(as_of=now()))
    web.wait_until_ready()
    code, lines = doctor(WEB, "--running", **env)
    assert (code, problems(lines)) == (0, [])
    found = [line.removeprefix("ok   web ") for line in lines]
    assert found[0] == "settings: they fit together"
    assert found[1] == f"volume rights: {web.data_dir} can be read"
    assert found[-3].startswith("health: ok; version ")
    assert found[-2].startswith("page: live, counted up to 20")
    assert found[-1].startswith("page clock: as_of is ")


def test_a_page_that_should_run_and_does_not_is_told(tmp_path: Path) -> None:
    CommittedChanges(tmp_path)
    code, lines = doctor(WEB, "--running", DATA_DIR=str(tmp_path), WEB_PORT=str(free_port()))
    assert code == 1
    [line] = problems(lines)
    assert line.startswith("health: no answer on port ")


def test_a_volume_without_changes_is_noted(tmp_path: Path) -> None:
    code, lines = doctor(WEB, DATA_DIR=str(tmp_path))
    assert code == 0
    assert lines[-1].startswith("note web volume layout: no changes in ")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    code, lines = doctor(WEB, DATA_DIR=str(tmp_path / "data"))
    assert (code, problems(lines)) == (
        1,
        [f"volume: DATA_DIR={tmp_path}/data isn't there: mount the consumer's, or set DATA_DIR"],
    )


@pytest.mark.parametrize("closed", [".", "changes", "changes/date=2026-03-01", "history"])
def test_a_folder_that_is_not_ours_to_read_is_told(tmp_path: Path, closed: str) -> None:
    committed = CommittedChanges(tmp_path)
    committed.commit(Change(datetime(2026, 3, 1, tzinfo=UTC)))
    (tmp_path / "history").mkdir()
    folder = tmp_path / closed
    folder.chmod(0o000)
    code, lines = doctor(WEB, command=AS_ANYBODY, DATA_DIR=str(tmp_path))
    folder.chmod(0o700)
    assert code == 1
    [line] = problems(lines)
    assert line.startswith("volume rights: ")
    assert line.endswith(": let it be read by the user that web runs as (10001 in its container)")


@pytest.mark.parametrize(
    ("ahead", "level", "says"),
    [
        (-1, Level.OK, "as_of is 1 s ago"),
        (60, Level.OK, "as_of is 0 s ago"),
        (61, Level.PROBLEM, "it is 61 s behind as_of: set it by a time server"),
    ],
)
def test_a_clock_that_is_behind_what_is_counted_is_wrong(ahead: int, level: Level, says: str) -> None:
    time = datetime.now(UTC)
    found = clock_finding(time + timedelta(seconds=ahead), time)
    assert (found.level, found.detail) == (level, says)
