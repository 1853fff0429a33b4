"""Up to when everything is counted, as the files in `changes` say."""

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from wiki_common.store.place import Place
from wiki_common.volume import RawFile
from wiki_consumer.volume.raw_files import UnreadableFile, read_footer

_log = structlog.get_logger()


def last_as_of(changes: Place, files: Sequence[RawFile]) -> datetime | None:
    """What the newest of `files`, which are in order, tells; None if nothing does.

    A file of an older version doesn't say it: there it is the newest row's time, if that was over when the
    file was written. A file that can't be read is passed over, since its rows don't count.
    """
    for raw in reversed(files):
        path = changes / raw.name
        if raw.is_part:
            continue
        try:
            footer = read_footer(path)
        except UnreadableFile as error:
            _log.warning("up to when all is counted is told by an older file", reason=str(error))
            continue
        if footer.coverage.as_of is not None:
            return footer.coverage.as_of
        if footer.times is not None:
            return min(footer.times.newest, datetime.fromtimestamp(path.stat().st_mtime, UTC))
    return None
