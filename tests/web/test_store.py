"""Committed changes are held exactly once, through closing hours, new logs and crashes' leftovers."""

import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from web.committed import NOON, Change, CommittedChanges, changes_table
from wiki_consumer.renumbering import finish
from wiki_consumer.volume import Volume
from wiki_web.answers import answer_of
from wiki_web.commit_log import CommitLogError
from wiki_web.engines import Engine, EngineError
from wiki_web.engines.duckdb_engine import DuckDBEngine
from wiki_web.queries import Query
from wiki_web.rows import RowsError
from wiki_web.store import NothingHeld, Store

HOUR = timedelta(hours=1)
ALL_DAY = Query("top", timedelta(hours=23), 500, types=None)


def counted(store: Store) -> dict[str, int]:
    """Changes per title over nearly all that is held."""
    _, as_of_us, run = store.prepare(ALL_DAY)
    return {row["title"]: row["changes"] for row in answer_of(ALL_DAY, as_of_us, run()).rows}


def at(hour: int, minute: int, title: str) -> Change:
    return Change(NOON + timedelta(hours=hour - 12, minutes=minute), title)


def test_without_a_log_nothing_is_held(store: Store) -> None:
    assert not store.refresh()
    assert store.position is None
    with pytest.raises(NothingHeld):
        store.prepare(ALL_DAY)


def test_a_commit_without_rows_is_a_position_without_a_time(
    store: Store, committed: CommittedChanges
) -> None:
    committed.commit()
    assert store.refresh()
    assert store.position is not None
    assert store.position.as_of_us is None


def test_new_commits_are_added_to_what_is_held(store: Store, committed: CommittedChanges) -> None:
    committed.commit(at(11, 0, "A"), at(11, 1, "B"))
    store.refresh()
    assert counted(store) == {"A": 1, "B": 1}
    for _ in range(25):
        committed.commit(at(11, 2, "A"))
        assert store.refresh()
        assert not store.refresh()
    assert counted(store) == {"A": 26, "B": 1}
    assert store.commits_behind() == 0


def test_files_that_no_commit_names_do_not_count(store: Store, committed: CommittedChanges) -> None:
    committed.commit(at(11, 0, "A"))
    committed.write_files(changes_table([at(11, 0, "leftover")]))
    store.refresh()
    assert counted(store) == {"A": 1}


def test_history_counts_before_its_end_and_changes_from_there_on(
    store: Store, committed: CommittedChanges
) -> None:
    early, late = at(9, 59, "early"), at(10, 0, "late")
    committed.close_hour(NOON - 3 * HOUR, [early])
    committed.commit(early, late)
    store.refresh()
    assert counted(store) == {"early": 1, "late": 1}
    assert store.rows_held == 2


def test_an_hour_without_changes_has_no_file_and_no_effect(store: Store, committed: CommittedChanges) -> None:
    committed.close_hour(NOON - 5 * HOUR, [at(7, 30, "A")])
    committed.close_hour(NOON - 2 * HOUR, [at(10, 30, "B")])
    committed.commit(at(11, 0, "C"))
    store.refresh()
    assert counted(store) == {"A": 1, "B": 1, "C": 1}


def test_history_alone_is_enough(store: Store, committed: CommittedChanges) -> None:
    committed.close_hour(NOON - 2 * HOUR, [at(10, 30, "B")])
    store.refresh()
    assert counted(store) == {"B": 1}


def test_closing_an_hour_changes_no_count(store: Store, committed: CommittedChanges) -> None:
    old = [at(10, minute, "old") for minute in range(60)]
    committed.commit(*old)
    raw = committed.files()
    committed.commit(at(11, 5, "new"))
    store.refresh()
    before = counted(store)
    committed.close_hour(NOON - 2 * HOUR, old)
    assert counted(store) == before
    store.rebase_if_due()
    assert counted(store) == before
    committed.expire(raw)
    for minute in range(8):
        committed.commit(at(11, minute, "new"))
    committed.remove_log_before(9)
    store.refresh()
    assert counted(store) == {"old": 60, "new": 9}
    fresh = Store(committed.data_dir, store._engine, timedelta(hours=24))
    fresh.refresh()
    assert counted(fresh) == {"old": 60, "new": 9}


def test_a_log_that_went_on_without_us_is_read_again(store: Store, committed: CommittedChanges) -> None:
    committed.commit(at(11, 0, "A"))
    store.refresh()
    for _ in range(12):
        committed.commit(at(11, 1, "A"))
    committed.remove_log_before(9)
    store.refresh()
    assert counted(store) == {"A": 13}


def test_a_raw_file_deleted_before_it_was_read_is_found_in_history(
    store: Store, committed: CommittedChanges
) -> None:
    committed.commit(at(10, 0, "A"))
    store.refresh()
    committed.commit(at(10, 30, "B"))
    (missed,) = [path for path in committed.files() if path != committed.files()[0]]
    committed.close_hour(NOON - 2 * HOUR, [at(10, 0, "A"), at(10, 30, "B")])
    committed.expire([missed, *[path for path in committed.files() if path != missed]])
    for number in range(8):
        committed.commit(at(11, number, "C"))
    committed.remove_log_before(9)
    store.refresh()
    assert counted(store) == {"A": 1, "B": 1, "C": 8}


def test_a_store_that_is_reset_is_read_from_its_new_start(store: Store, committed: CommittedChanges) -> None:
    for minute in range(3):
        committed.commit(at(11, minute, "old"))
    store.refresh()
    shutil.rmtree(committed.data_dir)
    store.refresh()
    assert store.position is None
    CommittedChanges(committed.data_dir).commit(at(11, 0, "new"))
    store.refresh()
    assert counted(store) == {"new": 1}


def test_a_damaged_log_is_reported_and_what_is_held_stays(store: Store, committed: CommittedChanges) -> None:
    committed.commit(at(11, 0, "A"))
    store.refresh()
    (committed.log_dir / "1").write_text("v9\n", encoding="utf-8")
    with pytest.raises(CommitLogError, match="v9"):
        store.refresh()
    assert counted(store) == {"A": 1}


def test_rows_older_than_the_longest_window_are_forgotten(
    committed: CommittedChanges, engine: Engine
) -> None:
    store = Store(committed.data_dir, engine, HOUR)
    committed.commit(*[Change(NOON - 4 * HOUR + timedelta(seconds=n), "old") for n in range(300)])
    store.refresh()
    committed.commit(*[Change(NOON + timedelta(milliseconds=n), "new") for n in range(2100)])
    store.refresh()
    assert store.rows_held == 2400
    assert store.rebase_if_due()
    assert not store.rebase_if_due()
    assert store.rows_held == 2100
    assert counted(store) == {"new": 2100}


def test_an_hour_older_than_the_longest_window_is_not_loaded(
    committed: CommittedChanges, engine: Engine
) -> None:
    store = Store(committed.data_dir, engine, HOUR)
    committed.close_hour(NOON - 5 * HOUR, [at(7, 30, "A")])
    committed.close_hour(NOON - 2 * HOUR, [at(10, 30, "B")])
    committed.commit(at(11, 20, "C"))
    store.refresh()
    assert counted(store) == {"B": 1, "C": 1}


def test_loading_counts_the_files_done(store: Store, committed: CommittedChanges) -> None:
    committed.close_hour(NOON - 2 * HOUR, [at(10, 30, "B")])
    for minute in range(3):
        committed.commit(at(11, minute, "A"))
    store.refresh()
    assert (store.progress.done, store.progress.of) == (4, 4)


def test_a_prepared_query_answers_for_its_commit(store: Store, committed: CommittedChanges) -> None:
    committed.commit(at(11, 0, "A"))
    store.refresh()
    _, as_of_us, run = store.prepare(ALL_DAY)
    committed.commit(at(10, 0, "late"))
    store.refresh()
    assert [row["title"] for row in answer_of(ALL_DAY, as_of_us, run()).rows] == ["A"]


def test_midnight_lies_within_one_commit(store: Store, committed: CommittedChanges) -> None:
    midnight = datetime.combine(NOON.date() + timedelta(days=1), datetime.min.time(), NOON.tzinfo)
    committed.commit(Change(midnight - timedelta(seconds=1), "A"), Change(midnight, "A"))
    store.refresh()
    assert counted(store) == {"A": 2}


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
    volume = Volume(committed.data_dir)
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


def test_an_hour_that_cannot_be_read_leaves_the_engine_usable(
    store: Store, committed: CommittedChanges
) -> None:
    damaged = committed.close_hour(NOON - 2 * HOUR, [at(10, 30, "A")])
    whole = damaged.read_bytes()
    damaged.write_bytes(b"PAR1 no more PAR1")
    with pytest.raises((RowsError, EngineError)):
        store.refresh()
    damaged.write_bytes(whole)
    store.refresh()
    assert counted(store) == {"A": 1}


def test_what_is_half_written_in_history_is_not_an_hour(store: Store, committed: CommittedChanges) -> None:
    committed.close_hour(NOON - 2 * HOUR, [at(10, 30, "A")])
    writing = committed.data_dir / "history" / ".writing"
    writing.mkdir()
    (writing / "2026-03-01-11.parquet").write_bytes(b"PAR1")
    store.refresh()
    assert counted(store) == {"A": 1}


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
                shutil.copytree(committed.log_dir, committed.log_dir.with_name("copy"))
                shutil.rmtree(committed.log_dir)
                committed.log_dir.with_name("copy").rename(committed.log_dir)
            store.refresh()
            assert counted(store) == {"old": 2100, "new": 1100 * (minute + 1)}
    finally:
        stop.set()
        rebasing.join()
    assert counted(store) == {"old": 2100, "new": 6600}
