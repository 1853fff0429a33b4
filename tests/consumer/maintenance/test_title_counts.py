"""How often titles were changed, against a plain count; in parts it is the same."""

import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from web.committed import NOON, Change, CommittedChanges
from wiki_consumer.maintenance.title_counts import count_titles, parts_for
from wiki_consumer.volume.raw_files import UnreadableFile

HOUR = timedelta(hours=1)
TITLES = ["A", "B", "Q1", "Q12", "مرحبا", "🦊 fox", "é", "", "Talk:A"]


def fail(error: UnreadableFile) -> None:
    raise error


def some_changes(chance: random.Random, hour: int, count: int) -> list[Change]:
    return [
        Change(
            event_time=NOON + hour * HOUR + timedelta(seconds=chance.randrange(3600)),
            title=chance.choice(TITLES),
            user=chance.choice(["Ada", "Bob", None]),
            type=chance.choice(["edit", "edit", "new", "log", "categorize"]),
            bot=chance.choice([True, False, None]),
            wiki=chance.choice(["enwiki", "dewiki"]),
        )
        for _ in range(count)
    ]


def plain_count(hours: list[list[Change]]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for changes in hours:
        chosen = [each for each in changes if each.type in ("edit", "new") and not each.bot]
        of_one = Counter((each.wiki, each.title, each.user) for each in chosen)
        for (wiki, title, _), changed in of_one.items():
            found[wiki, title] += min(3, changed)
    return found


def titles_in(rows: pa.Table) -> dict[tuple[str, str], int]:
    listed: list[dict[str, Any]] = rows.to_pylist()
    return {(row["wiki"], row["title"]): row["changes"] for row in listed if row["title"] is not None}


@pytest.mark.parametrize("parts", [1, 4])
def test_each_title_has_what_a_plain_count_gives(tmp_path: Path, seed: int, parts: int) -> None:
    chance = random.Random(seed)
    hours = [some_changes(chance, hour, 400) for hour in range(5)]
    committed = CommittedChanges(tmp_path)
    files = [committed.close_hour(NOON + hour * HOUR, changes) for hour, changes in enumerate(hours)]
    rows, least = count_titles(files, parts, fail)
    expected = plain_count(hours)
    assert (titles_in(rows), least) == (dict(expected), 1)
    assert list(titles_in(rows)) == sorted(expected)
    groups = {row["wiki"]: row for row in rows.to_pylist() if row["title"] is None}
    for wiki, group in groups.items():
        assert group["changes"] == sum(count for (of, _), count in expected.items() if of == wiki)
        assert group["titles"] == sum(of == wiki for of, _ in expected)


@pytest.mark.parametrize(("most", "least"), [(4, 1), (3, 2), (2, 3), (1, 3)])
def test_of_too_many_titles_those_with_the_most_changes_have_a_row(
    tmp_path: Path, most: int, least: int
) -> None:
    changed = {"A": 1, "B": 2, "C": 2, "D": 5}
    changes = [Change(NOON, title, f"User {n}") for title, count in changed.items() for n in range(count)]
    rows, found = count_titles([CommittedChanges(tmp_path).close_hour(NOON, changes)], 2, fail, most)
    assert found == least
    assert titles_in(rows) == {("enwiki", title): n for title, n in changed.items() if n >= least}
    (group,) = (row for row in rows.to_pylist() if row["title"] is None)
    assert (group["changes"], group["titles"]) == (10, 4)


def test_an_hour_that_cannot_be_read_is_told_once_and_passed_over(tmp_path: Path) -> None:
    committed = CommittedChanges(tmp_path)
    files = [committed.close_hour(NOON + hour * HOUR, [Change(NOON + hour * HOUR)]) for hour in range(3)]
    files[0].write_bytes(b"damaged")
    pq.write_table(pq.ParquetFile(files[1]).read().set_column(9, "bot", pa.array(["maybe"])), files[1])
    faults: list[UnreadableFile] = []
    rows, _ = count_titles(files, 4, faults.append)
    assert [fault.path for fault in faults] == files[:2]
    assert titles_in(rows) == {("enwiki", "Ada Lovelace"): 1}


def test_more_rows_are_counted_in_more_parts() -> None:
    assert [parts_for(rows, 10) for rows in (0, 10, 11, 40, 41)] == [1, 1, 2, 4, 8]
