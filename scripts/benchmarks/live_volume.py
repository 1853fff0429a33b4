"""A volume as a consumer that runs leaves it: closed hours, then a file a second."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc

from web.committed import NOON, Change, CommittedChanges, changes_table, now

HOUR = timedelta(hours=1)
# One a second, in the last half hour.
SINGLE_FILES = 1800


def an_hour(random: Random, rate: int) -> pa.Table:
    """One hour of changes from NOON on, with a natural skew of titles."""
    count = 3600 * rate
    changes = (
        Change(
            NOON + timedelta(seconds=number // rate),
            title=f"Title {int(random.paretovariate(0.7)) % 50_000}",
            user=f"User {random.randrange(3000)}",
            type=random.choice(["edit", "new", "categorize"]),
            bot=random.random() < 0.3,
        )
        for number in range(count)
    )
    return changes_table(changes)


def moved(rows: pa.Table, start: datetime) -> pa.Table:
    """The same changes from `start` on."""
    shift = pa.scalar(start - NOON, pa.duration("us"))
    times = pc.add(rows["event_time"], shift)
    return rows.set_column(rows.schema.get_field_index("event_time"), rows.schema.field("event_time"), times)


def live_volume(
    folder: Path,
    hours: int,
    hour: pa.Table,
    rate: int,
    at: Callable[[pa.Table, datetime], pa.Table] = moved,
) -> CommittedChanges:
    """`hours` of changes until now as the consumer leaves them: closed hours, then one file a second.

    Each of them is `at(hour, start)`.
    """
    committed = CommittedChanges(folder)
    end = now()
    this_hour = end.replace(minute=0, second=0)
    for back in range(hours, 1, -1):
        committed.close_hour(this_hour - back * HOUR, at(hour, this_hour - back * HOUR))
    begun = at(hour, this_hour).slice(0, rate * (end - this_hour).seconds)
    tail = pa.concat_tables([at(hour, this_hour - HOUR), begun])
    older = tail.num_rows - rate * SINGLE_FILES
    committed.commit_table(tail.slice(0, older))
    for second in range(SINGLE_FILES):
        committed.commit_table(tail.slice(older + second * rate, rate))
    return committed
