"""Whatever lies on the volume: strange files are passed over, damaged ones named, and count once mended."""

from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st

from harness.fuzzing import tries
from harness.strange_volumes import Damage, change_a_title, damages, foreign_files, leave
from web.committed import NOON, CommittedChanges
from web.data.held import HOUR, at, counted
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.refresher import Refresher
from wiki_web.data.store import Store
from wiki_web.http.app import create_app
from wiki_web.settings import Settings

ALL = {"A": 1, "B": 2, "C": 1}


class Running:
    """A volume with an hour and three batches, and the parts of the page that read it."""

    def __init__(self, folder: Path) -> None:
        committed = CommittedChanges(folder)
        committed.close_hour(NOON - 2 * HOUR, [at(10, 30, "B")])
        for title in ("A", "B", "C"):
            committed.commit(at(11, 30, title))
        self.root = folder
        self.files = sorted(folder.rglob("*.parquet"))
        self.engine = DuckDBEngine()
        app: Flask = create_app(Settings(data_dir=folder, web_engine="duckdb"), self.engine)
        self.refresher: Refresher = app.extensions["refresher"]
        self.store: Store = self.refresher.store

    def refresh(self) -> str | None:
        """What it failed at, if it did; any other error is raised."""
        for _ in range(2):  # the first may find that the volume has moved
            self.refresher.refresh_once()
        return self.refresher.failure


@tries(20)
@given(names=foreign_files, content=st.none() | st.just(b"") | st.just(b"PAR1"), before=st.booleans())
@example(names=["history/date=2026-13-01/hour=07/part-0.parquet"], content=b"", before=True)
@example(names=["history/date=2026-01-31/hour=99/part-0.parquet"], content=b"", before=False)
@example(names=["changes/date=2026-01-30"], content=b"", before=True)
@example(names=["changes/date=2026-01-31/99999999T999999Z-0000000001.parquet"], content=b"", before=False)
def test_files_of_others_change_nothing(names: list[str], content: bytes | None, before: bool) -> None:
    with TemporaryDirectory() as folder:
        page = Running(Path(folder))
        if before:
            leave(page.root, names, content)
        assert page.refresh() is None
        leave(page.root, names, content)
        assert page.refresh() is None
        assert page.store.refresh() is False
        assert counted(page.store) == ALL
        page.engine.close()


@tries(25)
@given(damages)
@example([Damage(0, 0.5, None)])
@example([Damage(1, 0.0, b"")])
def test_a_damaged_file_is_named_and_counts_once_it_is_whole(done: list[Damage]) -> None:
    with TemporaryDirectory() as folder:
        page = Running(Path(folder))
        undo = [damage.do(page.files) for damage in done]
        failure = page.refresh()
        if failure is not None:
            assert any(file.name in failure for file in page.files), failure
        for each in reversed(undo):
            each()
        assert page.refresh() is None
        assert counted(page.store) == ALL
        page.engine.close()


def test_a_title_that_the_disk_has_changed_is_not_shown() -> None:
    with TemporaryDirectory() as folder:
        page = Running(Path(folder))
        for file in page.files[:2]:
            whole = file.read_bytes()
            change_a_title(file)
            failure = page.refresh()
            assert failure is not None
            assert str(file) in failure
            file.write_bytes(whole)
        assert page.refresh() is None
        assert counted(page.store) == ALL
        page.engine.close()
