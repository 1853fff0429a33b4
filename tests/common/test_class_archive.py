"""When the archive of Spark's classes is used, and when it is made anew."""

import time
from pathlib import Path

import pytest

from harness import class_archive


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With jars and no archive."""
    monkeypatch.setattr(class_archive, "ARCHIVE", tmp_path / "spark-classes.jsa")
    monkeypatch.setattr(class_archive, "JARS", tmp_path)
    (tmp_path / ".pom.xml").touch()
    return tmp_path


def test_java_is_told_of_it_once_it_is_there(folder: Path) -> None:
    assert class_archive.options() == ""
    class_archive.ARCHIVE.touch()
    assert f'"{folder}/spark-classes.jsa"' in class_archive.options()


def test_it_is_made_anew_once_the_jars_are_others(folder: Path) -> None:
    assert not class_archive.is_made()
    time.sleep(0.02)  # the clock of a file system is a few milliseconds behind
    class_archive.ARCHIVE.touch()
    assert class_archive.is_made()
    time.sleep(0.02)
    (folder / ".pom.xml").write_text("other jars")
    assert not class_archive.is_made()


@pytest.mark.usefixtures("folder")
def test_without_a_java_that_makes_it_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    class_archive.make()
    assert "no archive of Spark's classes was made" in capsys.readouterr().err
    assert not class_archive.is_made()
