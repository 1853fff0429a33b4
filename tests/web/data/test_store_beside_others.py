"""What others do to the volume while it is read: logs replaced, hours closed, readers and rebases at once."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from web.committed import NOON, CommittedChanges, changes_table
from web.data.held import HOUR, at, counted
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.renumbering import finish
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.store import Store


@pytest.mark.parametrize(("before", "staged"), [(3, 1), (1, 3), (2, 2), (12, 2)])
def test_a_log_that_the_consumer_renumbered_is_read_without_gap_or_double(
    store: Store, committed: CommittedChanges, tmp_path: Path, before: int, staged: int
) -> None:
    for minute in range(before):
        committed.commit(at(11, minute, "before"))
    store.refresh()
    committed.commit(at(11, 20, "not yet read"))
    new_checkpoint = CommittedChanges(tmp_path / "new")
    for minute in range(staged):
        new_checkpoint.commit(at(11, 30 + minute, "staged"))
    volume = ConsumerVolume(committed.data_dir)
    new_checkpoint.changes_dir.rename(volume.staging)
    volume.checkpoints.mkdir()
    finish(volume, now=datetime.now(UTC))
    store.refresh()
    assert counted(store) == {"before": before, "not yet read": 1, "staged": staged}
    assert not store.refresh()


def test_while_the_log_is_being_replaced_all_that_is_held_stays(
    store: Store, committed: CommittedChanges
) -> None:
    committed.close_hour(NOON - 2 * HOUR, [at(10, 30, "closed")])
    committed.commit(at(11, 0, "A"))
    store.refresh()
    away = committed.data_dir / "sink-log.replaced"
    committed.log_dir.rename(away)
    assert not store.refresh()
    assert counted(store) == {"closed": 1, "A": 1}
    away.rename(committed.log_dir)
    assert not store.refresh()
    assert counted(store) == {"closed": 1, "A": 1}


def test_a_start_while_the_log_is_being_replaced_doubles_nothing_once_it_is_there(
    store: Store, committed: CommittedChanges
) -> None:
    closed = at(10, 30, "closed")
    committed.close_hour(NOON - 2 * HOUR, [closed])
    committed.commit(closed, at(11, 0, "A"))
    away = committed.data_dir / "sink-log.replaced"
    committed.log_dir.rename(away)
    assert store.refresh()
    assert counted(store) == {"closed": 1}
    away.rename(committed.log_dir)
    store.refresh()
    assert counted(store) == {"closed": 1, "A": 1}


def test_readers_that_start_while_hours_are_closed_see_every_change_once(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    """Each hour is closed, its raw files leave the log and the disk, while readers start over and over."""
    hours = [[at(hour, minute, "A") for minute in range(0, 60, 6)] for hour in range(2, 11)]
    raw = []
    for changes in hours:
        known = set(committed.files())
        committed.commit(*changes)
        raw.append(set(committed.files()) - known)

    loaded = threading.Event()

    def close_hours() -> None:
        for number, changes in enumerate(hours[:-1]):
            loaded.clear()
            assert loaded.wait(60)
            committed.close_hour(NOON + (2 + number - 12) * HOUR, changes)
            committed.expire(raw[number])
            for _ in range(10):
                committed.commit()

    closing = threading.Thread(target=close_hours)
    closing.start()
    seen = set()
    while closing.is_alive():
        reader = Store(committed.data_dir, duckdb_engine, timedelta(hours=24))
        reader.refresh()
        loaded.set()
        seen.add(counted(reader)["A"])
    closing.join()
    assert seen == {90}


def test_a_rebase_beside_an_append_and_a_load_keeps_every_change_once(
    store: Store, committed: CommittedChanges
) -> None:
    committed.commit(*[at(10, n % 60, "old") for n in range(2100)])
    store.refresh()
    stop = threading.Event()

    def rebase_for_ever() -> None:
        while not stop.is_set():
            store.rebase_if_due()

    rebasing = threading.Thread(target=rebase_for_ever)
    rebasing.start()
    try:
        for minute in range(6):
            committed.commit(*[at(11, minute, "new") for _ in range(1100)])
            if minute == 3:
                committed.close_hour(
                    NOON - 2 * HOUR, changes_table([at(10, n % 60, "old") for n in range(2100)])
                )
                committed.replace_log()
            store.refresh()
            assert counted(store) == {"old": 2100, "new": 1100 * (minute + 1)}
    finally:
        stop.set()
        rebasing.join()
    assert counted(store) == {"old": 2100, "new": 6600}
