"""A changes folder as the consumer leaves it: Parquet files, the sink's log, closed hours."""

import json
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COMPACT_EVERY = 10
_numbers = count(1)

FILE_SCHEMA = pa.schema(
    [
        ("event_id", pa.string()),
        ("event_time", pa.timestamp("us", "UTC")),
        ("wiki", pa.string()),
        ("domain", pa.string()),
        ("type", pa.string()),
        ("namespace", pa.int32()),
        ("title", pa.string()),
        ("page_url", pa.string()),
        ("user", pa.string()),
        ("bot", pa.bool_()),
        ("minor", pa.bool_()),
        ("patrolled", pa.bool_()),
        ("comment", pa.string()),
        ("length_old", pa.int64()),
        ("length_new", pa.int64()),
        ("revision_old", pa.int64()),
        ("revision_new", pa.int64()),
        ("rc_id", pa.int64()),
        ("diff_url", pa.string()),
        ("ingested_at", pa.timestamp("us", "UTC")),
    ]
)


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

    def row(self) -> dict[str, object]:
        number = next(_numbers)
        domain = f"{self.wiki.removesuffix('wiki')}.wikipedia.org"
        return {
            **asdict(self),
            "event_id": self.event_id or f"event-{number:09d}",
            "domain": domain,
            "page_url": self.page_url or f"https://{domain}/wiki/{quote(self.title.replace(' ', '_'))}",
            "minor": False,
            "patrolled": None,
            "revision_old": number,
            "revision_new": number + 1,
            "rc_id": 2**31 + number,
            "diff_url": f"https://{domain}/w/index.php?diff={number + 1}&oldid={number}",
            "ingested_at": self.event_time + timedelta(seconds=2),
        }


def changes_table(changes: Iterable[Change]) -> pa.Table:
    return pa.Table.from_pylist([change.row() for change in changes], schema=FILE_SCHEMA)


class CommittedChanges:
    """Writes below `data_dir` in the consumer's layout; paths in the log are those of `writer_dir`."""

    def __init__(self, data_dir: Path, writer_dir: str = "/data") -> None:
        self.data_dir = data_dir
        self.changes_dir = data_dir / "changes"
        self.log_dir = self.changes_dir / "_spark_metadata"
        self._writer_dir = writer_dir
        self._batch = 0
        self._entries: list[str] = []
        self.log_dir.mkdir(parents=True)

    def commit(self, *changes: Change) -> int:
        """One batch with one file per date; the batch's number."""
        return self.commit_table(changes_table(changes))

    def commit_table(self, rows: pa.Table, at: float | None = None) -> int:
        paths = self.write_files(rows)
        if at is not None:
            for path in paths:
                os.utime(path, (at, at))
        entries = [self._entry(path) for path in paths]
        self._entries += entries
        compact = (self._batch + 1) % COMPACT_EVERY == 0
        name = f"{self._batch}.compact" if compact else str(self._batch)
        temporary = self.log_dir / f".{name}.0c0ffee0.tmp"
        temporary.write_text("\n".join(["v1", *(self._entries if compact else entries)]), encoding="utf-8")
        if at is not None:
            os.utime(temporary, (at, at))
        temporary.rename(self.log_dir / name)
        self._batch += 1
        return self._batch - 1

    def write_files(self, rows: pa.Table) -> list[Path]:
        """Files that no log names yet: what a crash before the commit leaves."""
        dates = [moment.date().isoformat() for moment in rows["event_time"].to_pylist()]
        paths = []
        for date in sorted(set(dates)):
            path = self.changes_dir / f"date={date}" / f"part-00000-{next(_numbers):012d}.c000.zstd.parquet"
            path.parent.mkdir(exist_ok=True)
            chosen = rows.filter(pa.array([each == date for each in dates]))
            pq.write_table(chosen, path, compression="zstd")
            paths.append(path)
        return paths

    def close_hour(self, start: datetime, changes: Sequence[Change] | pa.Table) -> Path:
        """`changes` as the closed hour from `start` on, renamed into place."""
        folder = self.data_dir / "history" / f"date={start:%Y-%m-%d}" / f"hour={start:%H}"
        folder.mkdir(parents=True, exist_ok=True)
        rows = changes if isinstance(changes, pa.Table) else changes_table(changes)
        pq.write_table(rows, folder / ".part-0.parquet.tmp", compression="zstd")
        return (folder / ".part-0.parquet.tmp").rename(folder / "part-0.parquet")

    def remove_log_before(self, batch: int) -> None:
        """As the sink does once a compaction has made older log files useless."""
        for path in self.log_dir.iterdir():
            if int(path.name.split(".")[0]) < batch:
                path.unlink()

    def replace_log(self) -> None:
        """The same log in another folder, as a repair leaves it: a reader has to begin anew."""
        copy = self.log_dir.with_name("copy")
        shutil.copytree(self.log_dir, copy)
        shutil.rmtree(self.log_dir)
        copy.rename(self.log_dir)

    def expire(self, files: Iterable[Path]) -> None:
        """Drop `files` from the log's next compaction and from the disk: retention."""
        for path in files:
            self._entries.remove(self._entry(path))
            path.unlink()

    def files(self) -> list[Path]:
        return sorted(self.changes_dir.glob("date=*/*.parquet"))

    def _entry(self, path: Path) -> str:
        status = path.stat()
        return json.dumps(
            {
                "path": f"file://{self._writer_dir}/changes/{path.relative_to(self.changes_dir)}",
                "size": status.st_size,
                "isDir": False,
                "modificationTime": int(status.st_mtime * 1000),
                "blockReplication": 1,
                "blockSize": 33554432,
                "action": "add",
            },
            separators=(",", ":"),
        )


def now() -> datetime:
    """This second."""
    return datetime.fromtimestamp(int(time.time()), UTC)
