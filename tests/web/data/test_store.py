"""Committed changes are held exactly once, through closing hours, new logs and crashes' leftovers."""

import shutil
from datetime import datetime, timedelta

import pytest

from web.committed import NOON, Change, CommittedChanges, changes_table
from web.data.held import ALL_DAY, HOUR, at, counted, listed
from wiki_web.data.answers import answer_of
from wiki_web.data.engines.engine import Engine
from wiki_web.data.store import NothingHeld, Store


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
    assert store.commits_after(store.position) == 0


def test_a_part_of_a_batch_that_is_not_whole_yet_does_not_count(
    store: Store, committed: CommittedChanges
) -> None:
    committed.commit(at(11, 0, "A"))
    (part, rows), *_ = committed.next_batch(changes_table([at(11, 0, "B"), at(35, 0, "B")]))
    committed.write(part, rows)
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


def test_closing_an_hour_changes_no_count(store: Store, committed: CommittedChanges, engine: Engine) -> None:
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
    store.refresh()
    assert counted(store) == {"old": 60, "new": 9}
    fresh = Store(committed.data_dir, engine, timedelta(hours=24))
    fresh.refresh()
    assert counted(fresh) == {"old": 60, "new": 9}


def test_what_went_on_without_us_is_read_again(store: Store, committed: CommittedChanges) -> None:
    committed.commit(at(11, 0, "A"))
    store.refresh()
    for _ in range(12):
        committed.commit(at(11, 1, "A"))
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
    assert [row["title"] for row in listed(answer_of(ALL_DAY, as_of_us, run()))] == ["A"]


def test_midnight_lies_within_one_commit(store: Store, committed: CommittedChanges) -> None:
    midnight = datetime.combine(NOON.date() + timedelta(days=1), datetime.min.time(), NOON.tzinfo)
    committed.commit(Change(midnight - timedelta(seconds=1), "A"), Change(midnight, "A"))
    store.refresh()
    assert counted(store) == {"A": 2}


def test_what_is_half_written_in_history_is_not_an_hour(store: Store, committed: CommittedChanges) -> None:
    committed.close_hour(NOON - 2 * HOUR, [at(10, 30, "A")])
    writing = committed.data_dir / "history" / ".writing"
    writing.mkdir()
    (writing / "2026-03-01-11.parquet").write_bytes(b"PAR1")
    store.refresh()
    assert counted(store) == {"A": 1}
