"""DATA_DIR may have any name: no part of it is taken for a pattern, an address or an escape."""

from datetime import timedelta
from pathlib import Path

import pytest

from web.committed import NOON, CommittedChanges
from web.data.held import HOUR, at, counted
from wiki_web.data.engines.engine import Engine
from wiki_web.data.store import Store


@pytest.mark.parametrize(
    "name",
    [
        "w [1]",
        "{a,b}",
        "100%25 a+b",
        "x #y",
        "José's wíki",
        "a*b?",
        "back\\slash",
        "date=2026-01-01",
        "file:",
    ],
)
def test_hours_and_commits_in_a_folder_of_any_name_count(engine: Engine, tmp_path: Path, name: str) -> None:
    data_dir = tmp_path / name / "data"
    data_dir.parent.mkdir()
    committed = CommittedChanges(data_dir)
    committed.close_hour(NOON - 3 * HOUR, [at(9, 30, "A")])
    committed.close_hour(NOON - 2 * HOUR, [at(10, 30, "B")])
    committed.commit(at(11, 30, "C"))
    store = Store(data_dir, engine, timedelta(hours=24))
    assert store.refresh()
    committed.commit(at(11, 40, "C"))
    assert store.refresh()
    assert counted(store) == {"A": 1, "B": 1, "C": 2}
    committed.close_hour(NOON - HOUR, [at(11, 30, "C"), at(11, 40, "C")])
    store.rebase_if_due()
    assert counted(store) == {"A": 1, "B": 1, "C": 2}
