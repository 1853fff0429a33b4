"""What others do to the volume while it is read: hours closed, rows rebased, readers that start over."""

import threading
from datetime import timedelta

from web.committed import NOON, CommittedChanges, changes_table
from web.data.held import HOUR, at, counted
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.store import Store


def test_readers_that_start_while_hours_are_closed_see_every_change_once(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    """Each hour is closed, its raw files are deleted, while readers start over and over."""
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
                committed.skip_batch()  # a gap, so that everything is loaded again
            store.refresh()
            assert counted(store) == {"old": 2100, "new": 1100 * (minute + 1)}
    finally:
        stop.set()
        rebasing.join()
    assert counted(store) == {"old": 2100, "new": 6600}
