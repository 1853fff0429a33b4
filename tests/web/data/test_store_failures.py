"""What can't be read or held at once is told, and counts as soon as it can be; till then all else stays."""

import pytest

from web.committed import NOON, CommittedChanges
from web.data.held import HOUR, at, counted
from wiki_web.data.engines.engine import Engine, EngineError
from wiki_web.data.rows import RowsError
from wiki_web.data.store import Store


def test_a_commit_whose_file_could_not_be_read_counts_once_it_can(
    store: Store, committed: CommittedChanges
) -> None:
    committed.commit(at(11, 0, "A"))
    store.refresh()
    committed.commit(at(11, 1, "B"))
    (garbled,) = set(committed.files()) - {committed.files()[0]}
    whole = garbled.read_bytes()
    garbled.write_bytes(b"PAR1 no more PAR1")
    for _ in range(2):
        with pytest.raises(RowsError, match=garbled.name):
            store.refresh()
        committed.commit(at(11, 2, "C"))
    assert counted(store) == {"A": 1}
    assert store.commits_after(store.position) == 3
    garbled.write_bytes(whole)
    assert store.refresh()
    assert not store.refresh()
    assert counted(store) == {"A": 1, "B": 1, "C": 2}


def test_a_file_that_is_deleted_before_it_was_read_asks_for_a_load(
    store: Store, committed: CommittedChanges
) -> None:
    committed.commit(at(11, 0, "A"))
    store.refresh()
    generation = store.position and store.position.generation
    committed.commit(at(11, 1, "B"))
    committed.commit(at(11, 2, "C"))
    committed.expire(committed.files()[1:2])
    assert store.refresh()
    assert store.position is not None
    assert store.position.generation != generation
    assert counted(store) == {"A": 1, "C": 1}
    assert not store.refresh()


@pytest.mark.parametrize("work", ["append", "prepare"])
def test_a_commit_at_which_the_engine_failed_counts_at_the_next_try(
    store: Store, committed: CommittedChanges, engine: Engine, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    committed.commit(at(11, 0, "A"))
    store.refresh()
    if work == "prepare":
        committed.skip_batch()  # a gap, so that everything is loaded again
    committed.commit(at(11, 1, "B"))

    def fail(*_: object) -> None:
        raise EngineError("asked to fail")

    with monkeypatch.context() as failing:
        failing.setattr(engine, work, fail)
        with pytest.raises(EngineError, match="asked to fail"):
            store.refresh()
    assert store.refresh()
    assert not store.refresh()
    assert counted(store) == {"A": 1, "B": 1}


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
