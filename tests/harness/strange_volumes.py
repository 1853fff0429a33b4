"""What others, or a failing disk, may leave on a volume: files of strange names, and damage."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_EPOCH = "20260131T120000Z"
_DATES = (
    *("date=2026-01-31", "date=2026-13-01", "date=2026-02-30", "date=0000-00-00", "date=2026-1-31", "date="),
    *("date=x", "date=٢٠٢٦-٠١-٣١", "date=2026-01-31 (copy)", "date=2026-01-31.bak", "DATE=2026-01-31", "old"),
)
_NAMES = (
    *("99999999T999999Z-0000000001.parquet", "20260230T000000Z-0000000001.parquet"),
    *(f"{_EPOCH}-٠٠٠٠٠٠٠٠٠٩.parquet", f"{_EPOCH}-9.parquet", f"{_EPOCH}-0000000009.parquet.tmp"),
    *(f"copy of {_EPOCH}-0000000009.parquet", f".{_EPOCH}-0000000009.parquet.crc", "notes.txt", "\udcff"),
)
_HOURS = ("hour=24", "hour=99", "hour=7", "hour=x", "hour=٠٧", "hour=", "hour=07 (copy)", "backup")


foreign_files: SearchStrategy[list[str]] = st.lists(
    st.builds("changes/{}/{}".format, st.sampled_from(_DATES), st.sampled_from(_NAMES))
    | st.builds("changes/{}/{}".format, st.sampled_from(_DATES[1:]), st.just(f"{_EPOCH}-0000000009.parquet"))
    | st.builds("history/{}/{}/part-0.parquet".format, st.sampled_from(_DATES), st.sampled_from(_HOURS))
    | st.builds("history/{}/hour=07/part-0.parquet".format, st.sampled_from(_DATES[1:]))
    | st.builds("history/{}/hour=07/{}".format, st.sampled_from(_DATES), st.sampled_from(_NAMES))
    | st.sampled_from(
        ["changes/date=2026-01-30", "history/date=2026-01-30", "history/date=2026-01-30/hour=07"]
    )
    | st.sampled_from(["changes/notes", "history/.notes", "lost+found/x", "checkpoints/notes"]),
    min_size=1,
    max_size=4,
    unique=True,
)
"""Paths below DATA_DIR, none of which is one of the consumer's."""


def leave(root: Path, names: list[str], content: bytes | None) -> None:
    """Make these files with `content`, or folders where that is None; what is in the way stays."""
    for name in names:
        path = root / name
        if path.exists() or any(parent.is_file() for parent in path.parents):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)


@dataclass(frozen=True)
class Damage:
    """Done to one of several files: it is cut, or has other bytes in its middle."""

    file: int
    where: float
    """Of its length, 0 to 1."""
    instead: bytes | None
    """None: it ends there."""

    def do(self, files: list[Path]) -> Callable[[], None]:
        """To one of these; the result undoes it."""
        path = files[self.file % len(files)]
        whole, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
        at = int(self.where * len(whole))
        if self.instead is None:
            path.write_bytes(whole[:at])
        else:
            path.write_bytes(whole[:at] + self.instead + whole[at + len(self.instead) :])
        return lambda: _put_back(path, whole, times)


def _put_back(path: Path, whole: bytes, times: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(whole)
    os.utime(path, ns=times)


damages: SearchStrategy[list[Damage]] = st.lists(
    st.builds(
        Damage,
        st.integers(0, 20),
        st.floats(0, 1, exclude_max=True),
        st.none() | st.binary(min_size=1, max_size=8) | st.just(b"\0" * 200),
    ),
    min_size=1,
    max_size=3,
)


def change_a_title(path: Path) -> None:
    """Changes bytes in a page of titles, so that a reader that ignores its checksum takes them for titles."""
    titles = pq.read_table(path)["title"]
    column = pq.ParquetFile(path).metadata.row_group(0).column(pq.read_schema(path).get_field_index("title"))
    start = column.dictionary_page_offset or column.data_page_offset
    whole = path.read_bytes()
    for at in range(start, start + column.total_compressed_size):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with suppress(OSError, pa.ArrowException, UnicodeDecodeError):
            if titles.to_pylist() != pq.read_table(path)["title"].to_pylist():
                return
    raise AssertionError("no byte changes a title")
