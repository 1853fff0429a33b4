"""For how long the sink's log must name a file, so that it never forgets one whose rows aren't in the
history yet.

Spark rewrites the log every few batches and leaves out each file that was modified more than `retention` ago
by the wall clock, whether or not anyone has read it. The option is fixed while a query runs, and the cost of
a rewriting grows with it: at a file per second an hour of retention is 3,600 entries, some 800 kB.

So it is no constant. A run that starts after an outage finds files far older than any constant that would be
cheap: its first rewriting of the log would drop them. `safe_retention` is therefore taken from the age of
the oldest file that isn't compacted, at each start of the query; `fits` says in the run when that has
stopped to be right: too short, since hours can't be closed (a full disk, an unreadable file), or needlessly
long, since what was old has been compacted. Then the query is to be stopped and started again with the new
value.

One case is left: the machine sleeps for longer than the retention and the query's next batch comes before
anything can look at the clock. The log then drops files of open hours. Their rows are not lost, since
maintenance takes every whole raw file into an hour that it closes and deletes none whose rows aren't in the
history; readers that start in between miss them until then.
"""

from datetime import datetime, timedelta
from typing import Final

from wiki_consumer.volume.sink_log import SinkLog

# A row may be dated later than its file: an author's clock may be ahead, and the writer's may be set back.
CLOCK_TOLERANCE: Final = timedelta(minutes=10)
# What readers that are behind, and attempts to close an hour that failed, may take.
SLACK: Final = timedelta(hours=1)
WARNING: Final = timedelta(minutes=30)


def uncompacted_age(log: SinkLog, history_end: datetime | None, now: datetime) -> timedelta:
    """The age of the oldest file in the log that may hold rows not yet in the history; zero without one."""
    times = [file.modified_at for file in log.files.values()]
    if history_end is not None:
        times = [time for time in times if time + CLOCK_TOLERANCE >= history_end]
    return max(now - min(times, default=now), timedelta(0))


def safe_retention(age: timedelta, max_event_age: timedelta) -> timedelta:
    """The `retention` to start the query with, where `age` is the uncompacted_age at that moment.

    While all is well `age` stays below an hour, MAX_EVENT_AGE and two tolerances: the answer is that and
    SLACK. Beyond it is twice the age, so that an hour that stays open for days asks for a handful of
    restarts only.
    """
    usual = timedelta(hours=1) + max_event_age + 2 * CLOCK_TOLERANCE
    return usual + SLACK if age <= usual else max(usual + SLACK, 2 * age)


def fits(retention: timedelta, age: timedelta, max_event_age: timedelta) -> bool:
    """Whether a query that runs with `retention` may go on; if not, start it again with safe_retention."""
    return age + WARNING <= retention <= 2 * safe_retention(age, max_event_age)
