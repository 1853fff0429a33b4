"""A changes folder as the consumer leaves it: Parquet files and closed hours."""

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from wiki_common.coverage import COVERAGE_KEY, Coverage
from wiki_common.volume import BatchId, RawFile
from wiki_consumer.query.sink import split
from wiki_consumer.volume.raw_files import SCHEMA

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_numbers = count(1)


@dataclass(frozen=True)
class Change:
    """One row of the changes folder; what a test doesn't name is an ordinary edit."""

    event_time: datetime
    title: str = "Ada Lovelace"
    user: str | None = "Ada"
    type: str = "edit"
    bot: bool | None = False
    namespace: int | None = 0
    wiki: str = "enwiki"
    length_old: int | None = 100
    length_new: int | None = 110
    comment: str | None = "a comment"
    event_id: str = ""
    page_url: str | None = None
    revision: int | None = 0  # 0: one that no other has

    def row(self) -> dict[str, object]:
        number = next(_numbers)
        revision = number + 1 if self.revision == 0 else self.revision
        domain = f"{self.wiki.removesuffix('wiki')}.wikipedia.org"
        return {
            **asdict(self),
            "event_id": self.event_id or f"event-{number:09d}",
            "domain": domain,
            "page_url": self.page_url or f"https://{domain}/wiki/{quote(self.title.replace(' ', '_'))}",
            "minor": False,
            "patrolled": None,
            "revision_old": number,
            "revision_new": revision,
            "rc_id": 2**31 + number,
            "diff_url": f"https://{domain}/w/index.php?diff={number + 1}&oldid={number}",
            "ingested_at": self.event_time + timedelta(seconds=2),
        }


def changes_table(changes: Iterable[Change]) -> pa.Table:
    return pa.Table.from_pylist([change.row() for change in changes], schema=SCHEMA)


def with_coverage(rows: pa.Table, covered: Coverage | str | None) -> pa.Table:
    """`rows` with `covered` for the footer; a text may be none that can be read."""
    if covered is None:
        return rows
    text = covered if isinstance(covered, str) else covered.to_json()
    return rows.replace_schema_metadata({COVERAGE_KEY: text})


class CommittedChanges:
    """Writes below `data_dir` in the consumer's layout, each batch at the time of its newest change."""

    def __init__(self, data_dir: Path, epoch: str = "20260301T000000Z") -> None:
        self.data_dir = data_dir
        self.changes_dir = data_dir / "changes"
        self._epoch = epoch
        self._batch = 0
        self.changes_dir.mkdir(parents=True, exist_ok=True)

    def commit(self, *changes: Change, covered: Coverage | str | None = None) -> int:
        """One batch; its number. `covered` goes into its footer, which tells nothing without it."""
        return self.commit_table(changes_table(changes), covered=covered)

    def commit_table(
        self, rows: pa.Table, at: float | None = None, covered: Coverage | str | None = None
    ) -> int:
        *parts, (last, of_last) = self.next_batch(rows)
        for raw, part in (*parts, (last, with_coverage(of_last, covered))):
            self.write(raw, part, at)
        return self.skip_batch()

    def next_batch(self, rows: pa.Table) -> list[tuple[RawFile, pa.Table]]:
        """The files of the next batch in their order."""
        times = rows["event_time"].to_pylist()
        dates = pa.array([moment.date() for moment in times], pa.date32())
        batch = BatchId(self._epoch, self._batch)
        return split(rows.append_column("date", dates), batch, max(times, default=NOON))

    def tear(self, *changes: Change) -> Path:
        """As if the next batch had been written, with `changes`, and were damaged; `commit` mends it."""
        path = self.changes_dir / self.next_batch(changes_table(changes))[-1][0].name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"torn")
        return path

    def skip_batch(self) -> int:
        """As if the next batch had been written; its number."""
        self._batch += 1
        return self._batch - 1

    def write(self, raw: RawFile, rows: pa.Table, at: float | None = None) -> Path:
        path, temporary = self.changes_dir / raw.name, self.data_dir / "writing"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(rows, temporary, compression="zstd", write_page_checksum=True)
        if at is not None:
            os.utime(temporary, (at, at))
        return temporary.rename(path)

    def close_hour(
        self, start: datetime, changes: Sequence[Change] | pa.Table, covered: Coverage | None = None
    ) -> Path:
        """`changes` as the closed hour from `start` on, renamed into place."""
        folder = self.data_dir / "history" / f"date={start:%Y-%m-%d}" / f"hour={start:%H}"
        folder.mkdir(parents=True, exist_ok=True)
        rows = changes if isinstance(changes, pa.Table) else changes_table(changes)
        pq.write_table(with_coverage(rows, covered), folder / ".part-0.parquet.tmp", compression="zstd")
        return (folder / ".part-0.parquet.tmp").rename(folder / "part-0.parquet")

    def begin_anew(self) -> None:
        """With a new checkpoint: the next batch is its first."""
        self._epoch = f"{int(self._epoch[:8]) + 1}{self._epoch[8:]}"
        self._batch = 0

    def expire(self, files: Iterable[Path]) -> None:
        """Delete `files`, as once their hours are closed."""
        for path in files:
            path.unlink()

    def files(self) -> list[Path]:
        return sorted(self.changes_dir.glob("date=*/*.parquet"))


def now() -> datetime:
    """This second."""
    return datetime.fromtimestamp(int(time.time()), UTC)
