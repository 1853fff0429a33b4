import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from local_stack.merged_log import MergedLog

NewLog = Callable[..., MergedLog]


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def new_log(tmp_path: Path, out: io.StringIO) -> Iterator[NewLog]:
    """Makes a log of `names` that prints to `out`; closed at the end of the test."""
    with ExitStack() as logs:
        yield lambda *names, colour=False: logs.enter_context(
            closing(MergedLog(tmp_path, names, out, colour=colour))
        )


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_lines_carry_their_service_and_wait_for_their_end(
    tmp_path: Path, out: io.StringIO, new_log: NewLog
) -> None:
    log = new_log("web", "kafka")
    _append(tmp_path / "web.log", "one\ntwo and ")
    log.pump()
    assert out.getvalue() == "web       | one\n"
    _append(tmp_path / "web.log", "a half\n")
    _append(tmp_path / "kafka.log", "ready\n")
    log.pump()
    assert out.getvalue().splitlines()[1:] == ["web       | two and a half", "kafka     | ready"]


def test_a_rotated_file_loses_no_line(tmp_path: Path, out: io.StringIO, new_log: NewLog) -> None:
    log = new_log("web")
    _append(tmp_path / "web.log", "one\n")
    log.pump()
    _append(tmp_path / "web.log", "two\n")
    (tmp_path / "web.log").rename(tmp_path / "web.log.1")
    _append(tmp_path / "web.log", "three\n")
    log.pump()
    log.pump()
    assert [line.split(" | ")[1] for line in out.getvalue().splitlines()] == ["one", "two", "three"]


def test_closing_prints_a_line_without_an_end(tmp_path: Path, out: io.StringIO, new_log: NewLog) -> None:
    log = new_log("web")
    _append(tmp_path / "web.log", "cut off")
    log.pump()
    assert out.getvalue() == ""
    log.close()
    assert out.getvalue() == "web       | cut off\n"


def test_names_are_coloured_on_a_terminal(tmp_path: Path, out: io.StringIO, new_log: NewLog) -> None:
    log = new_log("web", colour=True)
    _append(tmp_path / "web.log", "one\n")
    log.pump()
    assert out.getvalue() == "\x1b[36mweb      \x1b[0m | one\n"


def test_text_that_is_no_utf_8_is_shown_all_the_same(
    tmp_path: Path, out: io.StringIO, new_log: NewLog
) -> None:
    log = new_log("web")
    (tmp_path / "web.log").write_bytes(b"\xff one\n")
    log.pump()
    assert out.getvalue() == "web       | � one\n"
