"""Baselines for tests: as the consumer computes them, or with counts that a test chooses."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from web.committed import NOON
from wiki_common.baseline import Covered
from wiki_common.volume import Volume
from wiki_consumer.maintenance.baseline import WEEK, BaselineKeeper
from wiki_consumer.maintenance.report import Report
from wiki_consumer.maintenance.title_counts import SCHEMA
from wiki_consumer.volume.history import History

A_WEEK = Covered(NOON - WEEK, NOON, WEEK.total_seconds())
TEN_TITLES = (("enwiki", 0, None, 20, 10),)
"""Of English articles: twice each."""
Counts = Mapping[tuple[str | None, str], int]


def ignore(_: str) -> None:
    pass


def compute_baseline(data_dir: Path) -> None:
    """From the closed hours that there are."""
    volume, report = Volume(data_dir), Report()
    BaselineKeeper(volume, History(volume, ignore), ignore).update(report)
    assert report.failures == []
    assert report.baseline_end == volume.history_end()


def baseline_rows(counts: Counts, groups: tuple[tuple[object, ...], ...] = TEN_TITLES) -> pa.Table:
    titles = sorted(counts.items(), key=lambda item: (item[0][0] or "~", item[0][1].encode()))
    rows = [*groups, *((wiki, 0, title, changes, 1) for (wiki, title), changes in titles)]
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.table(arrays, schema=SCHEMA)


def write_baseline(data_dir: Path, counts: Counts, covered: Covered = A_WEEK) -> Path:
    """With a rename, as the consumer does."""
    file, temporary = Volume(data_dir).baseline, data_dir / "baseline.writing"
    rows = baseline_rows(counts).replace_schema_metadata(covered.in_footer())
    pq.write_table(rows, temporary, compression="none", write_page_checksum=True)
    return temporary.rename(file)
