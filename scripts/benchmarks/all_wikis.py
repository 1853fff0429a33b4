"""Changes as those of all wikis: most of a day's titles are changed once or twice, some again and again."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.beside import beside
from benchmarks.live_volume import live_volume, moved
from stream_simulator.wikis import WIKIS
from web.committed import NOON, Change, CommittedChanges, changes_table

_BUSY: Final = 0.1  # of the changes: of titles that change again and again


def a_change(random: Random, time: datetime) -> Change:
    """Nearly all titles of a day are changed once or twice."""
    [wiki] = random.choices(WIKIS, [wiki.share for wiki in WIKIS])
    busy = random.random() < _BUSY
    number = int(random.paretovariate(0.7)) % 50_000 if busy else random.randrange(10**9)
    return Change(
        time,
        title=f"{'Busy' if busy else 'A title of usual length'} {number}",
        user=f"User {int(random.paretovariate(0.7)) % 50_000}",
        type=random.choices(("categorize", "edit", "log", "new"), (50, 41, 8, 2))[0],
        bot=random.random() < 1 / 3,
        wiki=wiki.name,
        comment=f"/* wbsetclaim-create:2||1 */ [[Property:P{number % 9999}]]: [[Q{number}]], by the batch",
        event_id=str(UUID(int=random.getrandbits(128))),
    )


def volume_of_all(folder: Path, hours: int, rate: int) -> CommittedChanges:
    """So many hours of them until now, `rate` a second, as the consumer leaves them."""
    random = Random(1)
    hour = changes_table(
        a_change(random, NOON + timedelta(seconds=number // rate)) for number in range(3600 * rate)
    )
    return live_volume(folder, hours, hour, rate, _with_titles_of_its_own)


def _with_titles_of_its_own(rows: pa.Table, start: datetime) -> pa.Table:
    """The changes from `start` on; except for the busy ones, no title occurs in two hours."""
    column = rows.schema.get_field_index("title")
    titles = rows["title"]
    own = pc.binary_join_element_wise(titles, f"{start:%H}", " ")
    own = pc.if_else(pc.starts_with(titles, "Busy"), titles, own)
    return moved(rows.set_column(column, rows.schema.field(column), own), start)


@contextmanager
def growing(committed: CommittedChanges, rate: int) -> Iterator[None]:
    """A batch a second."""
    random = Random(2)

    def write(ended: threading.Event) -> None:
        while not ended.wait(1):
            moment = datetime.now(UTC)
            committed.commit(*(a_change(random, moment) for _ in range(rate)))

    with beside(write):
        yield
