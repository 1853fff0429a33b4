from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from chaos_run.counts import differences, of_stream, of_volume
from chaos_run.stream import Event

HOUR = datetime(2026, 1, 31, 7, tzinfo=UTC)


def write(file: Path, *rows: tuple[datetime, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    times, titles = [row[0] for row in rows], [row[1] for row in rows]
    columns = {
        "event_time": pa.array(times, pa.timestamp("us", "UTC")),
        "title": pa.array(titles, pa.string()),
    }
    pq.write_table(pa.table(columns), file)


def test_places_that_agree_differ_in_nothing() -> None:
    counts = Counter({"A": 2, "B": 1})
    assert differences(counts, {"topic": Counter(counts), "page": Counter(counts)}) == {}


def test_each_differing_title_is_told_with_all_its_counts() -> None:
    stream = Counter({"A": 2, "B": 1, "C": 1})
    page = Counter({"A": 2, "B": 2, "D": 1})
    assert differences(stream, {"topic": Counter(stream), "page": page}) == {
        "B": {"stream": 1, "topic": 1, "page": 2},
        "C": {"stream": 1, "topic": 1, "page": 0},
        "D": {"stream": 0, "topic": 0, "page": 1},
    }


def test_a_title_is_compared_as_the_page_spells_it() -> None:
    stream = Counter({"\u202eA": 2, "A": 1})
    assert differences(stream, {"page": Counter({"A": 3})}) == {}
    assert differences(stream, {"page": Counter({"A": 2})}) == {"A": {"stream": 3, "page": 2}}


def test_the_stream_counts_each_title() -> None:
    events = [Event(str(number), title, "edit", 0, False) for number, title in enumerate("ABA")]
    assert of_stream(events) == {"A": 2, "B": 1}


def test_history_and_changes_are_counted_each_up_to_the_other(tmp_path: Path) -> None:
    """Raw files of a closed hour may still be there."""
    before, after = HOUR + timedelta(minutes=59), HOUR + timedelta(hours=1)
    write(tmp_path / "history/date=2026-01-31/hour=07/part-0.parquet", (before, "A"), (before, "B"))
    write(tmp_path / "changes/date=2026-01-31/20260131T070000Z-0000000001.parquet", (before, "A"))
    write(tmp_path / "changes/date=2026-01-31/20260131T070000Z-0000000002.parquet", (after, "A"))
    assert of_volume(tmp_path) == {"A": 2, "B": 1}


def test_a_row_that_is_there_twice_counts_twice(tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path / f"changes/date=2026-01-31/20260131T070000Z-000000000{number}.parquet", (HOUR, "A"))
    assert of_volume(tmp_path) == {"A": 2}


def test_a_volume_without_files_counts_nothing(tmp_path: Path) -> None:
    assert of_volume(tmp_path) == {}
