"""A sink's log made anew of the raw files, when the one that Spark wrote can't be read.

The files of a batch that a crash interrupted lie there as well: the batch ran again, so that its rows are
in other files too. Of two files with the same rows one is taken.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import structlog

from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import UnreadableFile, list_raw_files, read_rows
from wiki_consumer.volume.sink_log import CommittedFile, written

_log = structlog.get_logger()


def rebuild(volume: ConsumerVolume) -> None:
    """Make a log of all whole files; the next start puts it in the old one's place, as after renumbering.

    The query must not run. It can be interrupted, and called again.
    """
    if volume.renumbered_log.exists():
        return
    for name in list_raw_files(volume.staging):
        (volume.changes / name).parent.mkdir(parents=True, exist_ok=True)
        (volume.staging / name).rename(volume.changes / name)
    building = volume.renumbered_log.with_suffix(".tmp")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    (building / "0").write_text(written(volume.changes, _without_doubles(volume.changes)), encoding="utf-8")
    building.rename(volume.renumbered_log)


def _without_doubles(changes: Path) -> list[CommittedFile]:
    taken: set[str | None] = set()
    files = []
    for name in sorted(list_raw_files(changes)):
        try:
            ids = set(read_rows(changes / name)["event_id"].to_pylist())
        except UnreadableFile as error:
            _log.warning("left out of the sink's log: half-written or damaged", reason=str(error))
            continue
        if ids.isdisjoint(taken):
            taken |= ids
            modified = (changes / name).stat().st_mtime
            files.append(CommittedFile(name, datetime.fromtimestamp(modified, UTC)))
    return files
