"""The volume as the page sees it: it only reads."""

import os
from collections.abc import Iterator
from pathlib import Path

from wiki_common.doctor.finding import Finding, note, ok, problem
from wiki_common.doctor.volume import check_disk
from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place
from wiki_common.volume import Volume, date_folders

_WHO = "let it be read by the user that web runs as (10001 in its container)"


def check_volume(data_dir: Place) -> Iterator[Finding]:
    """Without what depends on a folder that can't be read."""
    what = "volume rights"
    if not isinstance(data_dir, Path):
        yield _check_store(data_dir)
        return
    try:
        if not data_dir.exists():
            yield problem("volume", f"DATA_DIR={data_dir} isn't there: mount the consumer's, or set DATA_DIR")
            return
        closed = [each for each in _read(Volume(data_dir)) if not os.access(each, os.R_OK | os.X_OK)]
        if closed:
            yield problem(what, f"no right to read {', '.join(map(str, closed))}: {_WHO}")
            return
        yield ok(what, f"{data_dir} can be read")
        yield from check_disk(data_dir)
        if not Volume(data_dir).changes.exists():
            yield note("volume layout", f"no changes in {data_dir}: the consumer has not committed yet")
    except OSError as error:
        yield problem(what, f"DATA_DIR={data_dir}: {error.strerror}: {_WHO}")


def _check_store(data_dir: ObjectPath) -> Finding:
    what = "volume rights"
    try:
        if date_folders(data_dir / "changes"):
            return ok(what, f"{data_dir} can be read")
    except OSError as error:
        return problem(what, f"DATA_DIR={data_dir}: {error.strerror}: see docs/operations.md")
    return note(what, f"no changes in {data_dir}: the consumer has not committed yet")


def _read(volume: Volume) -> Iterator[Path]:
    yield volume.root
    for folder in (volume.changes, volume.history):
        if folder.exists():
            yield folder
            yield from folder.glob("date=*")
