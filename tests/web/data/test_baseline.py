"""The page's reading of what is usual: every title is found, and a file that is none is none."""

import gc
import threading
import weakref
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.processes import wait_until
from web.committed import NOON, Change, CommittedChanges
from web.data.plain_count import ODD_TITLES
from web.data.usual import A_WEEK, baseline_rows, compute_baseline, write_baseline
from wiki_common.baseline import BASELINE_KEY
from wiki_web.data import baseline as module
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.baseline import Baseline, Baselines, read_baseline
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.queries import Query
from wiki_web.data.rows import RowsError
from wiki_web.data.store import Store
from wiki_web.data.titles import spelled


def test_each_title_of_each_wiki_is_found(tmp_path: Path) -> None:
    counts = {
        (wiki, title): place
        for wiki in ("dewiki", "enwiki", None)
        for place, title in enumerate(ODD_TITLES, 2)
    }
    found = read_baseline(write_baseline(tmp_path, counts))
    assert {(wiki, title): found.changes_of(wiki, spelled(title)) for wiki, title in counts} == counts
    assert [found.changes_of(*key) for key in (("enwiki", "AA"), ("frwiki", "A"), ("enwiki", ""))] == [
        None
    ] * 3
    assert found.covered == A_WEEK


def test_titles_are_spelled_as_those_of_the_rows_are() -> None:
    rows = baseline_rows({("enwiki", "B\u200e_b"): 3, ("enwiki", "B b"): 2, ("enwiki", "A_z"): 1})
    found = Baseline(A_WEEK, [rows.slice(0, 2), rows.slice(2)])
    assert [found.changes_of("enwiki", title) for title in ("A z", spelled("B_b"), "B_b")] == [1, 5, None]


def test_titles_like_it_are_those_of_its_wiki_and_namespace_else_all(committed: CommittedChanges) -> None:
    def changed(title: str, times: int, **of: int | str) -> list[Change]:
        return [Change(NOON, title, f"User {n}", **of) for n in range(times)]  # type: ignore[arg-type]

    rows = [
        *changed("A", 3),
        *changed("B", 1),
        *changed("Talk:A", 2, namespace=1),
        *changed("C", 6, wiki="dewiki"),
    ]
    committed.close_hour(NOON, rows)
    compute_baseline(committed.data_dir)
    found = Baselines(committed.data_dir).newest()
    assert found is not None
    asked = (("enwiki", 0), ("enwiki", 1), ("dewiki", 0), ("dewiki", 1), (None, None))
    assert [found.mean_of(*each) for each in asked] == [2, 2, 6, 3, 3]


def test_a_baseline_of_an_hour_without_counted_changes_knows_no_title(committed: CommittedChanges) -> None:
    committed.close_hour(NOON, [Change(NOON, type="log")])
    compute_baseline(committed.data_dir)
    found = read_baseline(committed.data_dir / "baseline.parquet")
    assert (found.changes_of("enwiki", "Ada Lovelace"), found.mean_of("enwiki", 0)) == (None, 1)


def damage(file: Path) -> None:
    """As a disk does: it can be read as before."""
    file.write_bytes(file.read_bytes().replace(b"enwiki", b"frwiki", 1))


def another_footer(file: Path) -> None:
    rows = baseline_rows({}).replace_schema_metadata({BASELINE_KEY: '{"start": "yesterday"}'})
    pq.write_table(rows, file)


@pytest.mark.parametrize(
    "harm",
    [
        damage,
        another_footer,
        lambda file: file.write_bytes(file.read_bytes()[:-10]),
        lambda file: file.write_bytes(b""),
        lambda file: pq.write_table(baseline_rows({}), file),
        lambda file: pq.write_table(
            pa.table({"title": ["A"]}).replace_schema_metadata(A_WEEK.in_footer()), file
        ),
        lambda file: (file.unlink(), file.mkdir()),
        Path.unlink,
    ],
    ids=["a changed page", "no time", "torn", "empty", "no footer", "other columns", "a folder", "missing"],
)
def test_a_file_that_is_none_is_no_baseline_until_there_is_one(tmp_path: Path, harm: object) -> None:
    file = write_baseline(tmp_path, {("enwiki", "A"): 2})
    assert callable(harm)
    harm(file)
    baselines = Baselines(tmp_path)
    assert baselines.newest() is None
    assert baselines.newest() is None
    if file.is_dir():
        file.rmdir()
    write_baseline(tmp_path, {("enwiki", "A"): 3})
    found = baselines.newest()
    assert found is not None
    assert found.changes_of("enwiki", "A") == 3


def test_too_many_rows_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_baseline(tmp_path, {("enwiki", "A"): 2, ("enwiki", "B"): 2})
    assert read_baseline(file).changes_of("enwiki", "B") == 2
    monkeypatch.setattr(module, "MOST_ROWS", 2)
    with pytest.raises(RowsError, match=r"baseline\.parquet: more than 2 rows"):
        read_baseline(file)


def test_while_a_newer_file_is_read_the_one_before_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_baseline(tmp_path, {("enwiki", "A"): 1})
    baselines, may_go_on = Baselines(tmp_path), threading.Event()

    def changes() -> int | None:
        found = baselines.newest()
        return None if found is None else found.changes_of("enwiki", "A")

    def read_slowly(file: Path) -> Baseline:
        assert may_go_on.wait(30)
        return read_baseline(file)

    assert changes() == 1
    monkeypatch.setattr(module, "read_baseline", read_slowly)
    write_baseline(tmp_path, {("enwiki", "A"): 2})
    assert [changes(), changes()] == [1, 1]
    may_go_on.set()
    wait_until(lambda: changes() == 2, timeout=30, what="the newer one is read", every=0.01)


def test_while_a_newer_file_cannot_be_read_the_one_before_answers_and_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an object store a read may fail, though the file is whole: the next file comes an hour later."""
    now, tried = [0.0], 0

    def fail(file: Path) -> Baseline:
        nonlocal tried
        tried += 1
        raise RowsError(f"{file}: the store is away")

    write_baseline(tmp_path, {("enwiki", "A"): 1})
    baselines = Baselines(tmp_path, clock=lambda: now[0])
    held = baselines.newest()
    assert held is not None
    monkeypatch.setattr(module, "read_baseline", fail)
    write_baseline(tmp_path, {("enwiki", "A"): 2})
    assert baselines.newest() is held
    wait_until(lambda: tried == 1, timeout=30, what="it is tried", every=0.01)
    assert [baselines.newest() for _ in range(3)] == [held] * 3
    assert tried == 1
    monkeypatch.setattr(module, "read_baseline", read_baseline)

    def is_the_newer_one() -> bool:
        now[0] += 60
        found = baselines.newest()
        return found is not None and found.changes_of("enwiki", "A") == 2

    wait_until(is_the_newer_one, timeout=30, what="it is read", every=0.01)
    (tmp_path / "baseline.parquet").unlink()
    assert baselines.newest() is None


def test_answers_that_are_kept_hold_no_baseline(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    """Each of a past moment's may be of another one, and stays for as long as there is room."""
    committed.commit(*(Change(NOON, "A", user) for user in ("Ada", "Bob")))
    store = Store(committed.data_dir, duckdb_engine, timedelta(hours=1))
    store.refresh()
    file, asked = (
        write_baseline(committed.data_dir, {}),
        Query("unusual", timedelta(hours=1), 20, bots="exclude"),
    )
    baselines = Baselines(committed.data_dir)
    answer = AnswerCache(store, asked, baselines=baselines).get(asked).answer
    found = baselines.newest()
    assert found is not None
    assert answer.covered == found.covered
    held = weakref.ref(found)
    file.unlink()
    del found
    assert baselines.newest() is None
    gc.collect()
    assert held() is None
