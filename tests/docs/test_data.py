"""docs/data.md: each way to read both folders gives every change once, beside raw files of a closed hour."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from docs.pages import ROOT, table_rows
from wiki_common.baseline import BASELINE_KEY, Covered
from wiki_common.coverage import Coverage
from wiki_common.volume import BatchId, RawFile
from wiki_consumer.maintenance.title_counts import SCHEMA as BASELINE
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.publishing import Publisher
from wiki_consumer.volume.raw_files import SCHEMA

PAGE = ROOT / "docs/data.md"
HOUR = datetime(2026, 1, 31, 7, tzinfo=UTC)
EPOCH = "20260131T060000Z"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of two changes that is closed, with its raw file still there, and two changes after it."""
    volume = ConsumerVolume(tmp_path_factory.mktemp("data"))
    publish = Publisher(volume)
    closed = rows(HOUR + timedelta(minutes=10), HOUR + timedelta(minutes=59))
    later = [rows(HOUR + timedelta(hours=1)), rows(HOUR + timedelta(hours=1, minutes=2)), rows()]
    write(volume.hour_file(HOUR), closed)
    for number, batch in enumerate([closed, *later]):
        publish(RawFile(BatchId(EPOCH, number), "date=2026-01-31").name, batch, as_of(number))
    return volume.root


def as_of(batch: int) -> Coverage:
    return Coverage(HOUR + timedelta(hours=1, seconds=batch))


def rows(*times: datetime) -> pa.Table:
    values: dict[str, list[Any]] = {name: [None] * len(times) for name in SCHEMA.names}
    values |= {"event_time": list(times), "event_id": [str(time) for time in times]}
    values |= {"title": ["Main Page"] * len(times), "type": ["edit"] * len(times)}
    return pa.table(values, schema=SCHEMA)


def write(file: Path, table: pa.Table) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, file)


def code(language: str, below: str) -> str:
    """The last block of `language` below the heading `below`."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {below}\n", 1)[1].split("\n## ", 1)[0]
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return blocks[-1]


def test_duckdb_tells_how_far_it_goes(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data)
    with duckdb.connect() as connection:
        ((text,),) = connection.execute(code("sql", "How far it goes")).fetchall()
    assert Coverage.from_json(text) == as_of(3)


def test_the_footer_that_is_shown_is_one() -> None:
    shown = re.search(r"^    (\{.*\})$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert shown is not None
    assert Coverage.from_json(shown[1]).to_json() == shown[1]


def test_the_columns_and_the_footer_of_the_baseline_are_those_of_the_file() -> None:
    shown = [name for row in table_rows(PAGE, "## What is usual") for name in re.findall(r"`(\w+)`", row[0])]
    assert shown == BASELINE.names
    (text,) = re.findall(
        r'^    (\{"start".*"watched_seconds".*\})$', PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert Covered.of_footer({BASELINE_KEY.encode(): text.encode()}).in_footer() == {BASELINE_KEY: text}


def test_duckdb_counts_each_change_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data)
    with duckdb.connect() as connection:
        assert connection.execute(code("sql", "DuckDB")).fetchall() == [("Main Page", 4)]


@pytest.mark.parametrize(
    ("below", "count"), [("pyarrow and pandas", "both.num_rows"), ("Spark", "both.count()")]
)
def test_python_counts_each_change_once(below: str, count: str, data: Path) -> None:
    program = f"{code('python', below)}\nprint({count})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=data, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["4"]


def test_the_columns_are_those_of_the_files() -> None:
    shown = [
        name
        for row in table_rows(PAGE, "Both folders have the same columns:\n")
        for name in re.findall(r"`(\w+)`", row[0])
    ]
    assert shown == SCHEMA.names
