from pathlib import Path

from local_stack.start_log import StartLog


def test_only_lines_since_the_last_start_are_given(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    log = StartLog(path)
    log.mark()
    assert log.last_lines(9) == []
    path.write_text("one\ntwo\n")
    assert log.last_lines(9) == ["one", "two"]
    log.mark()
    with path.open("a") as file:
        file.write("three\nfour\nfi")
    assert log.last_lines(9) == ["three", "four", "fi"]
    assert log.last_lines(2) == ["four", "fi"]


def test_after_a_rotation_the_new_file_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_text("a long line before the start\n")
    log = StartLog(path)
    log.mark()
    path.rename(tmp_path / "web.log.1")
    path.write_text("new\n")
    assert log.last_lines(9) == ["new"]
