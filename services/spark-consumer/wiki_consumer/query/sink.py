"""Where the query's batches go: each becomes files in `changes`, once, whatever was interrupted before.

A batch that is run again after a crash has the same offsets, the same clock and the same state: it has the
same rows and the same names. One that is there already is not written again, but it is run, since its state
has to be.

Its heartbeats are no rows of a file: what they and the rows tell of coverage stands in the footer of its last
file.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from wiki_common.coverage import Coverage
from wiki_common.store.place import Place
from wiki_common.volume import BatchId, RawFile, date_folder
from wiki_consumer.checkpoint.batch_clock import clock_of
from wiki_consumer.checkpoint.durability import DurableCheckpoint
from wiki_consumer.query.coverage import coverage_of
from wiki_consumer.query.generated_code import GeneratedCode
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.publishing import Publish
from wiki_consumer.volume.raw_files import SCHEMA, TIME

DATE: Final = "date"


class BatchFailed(Exception):
    """A batch was not written; `FolderSink.failure` says why."""


class FolderSink:
    """Takes the batches of the checkpoint that began at `epoch`: a function for `foreachBatch`.

    `as_of` is up to when everything was counted before, `on_coverage` is told what each batch says of it. No
    batch before `next_batch` is taken: Spark begins anew if a list of its checkpoint is cut on its way to it.
    What a batch failed at is kept in `failure`, for the supervisor: to Spark it is a BatchFailed.
    """

    def __init__(
        self,
        volume: ConsumerVolume[Place],
        epoch: str,
        publish: Publish,
        *,
        max_event_age: timedelta,
        as_of: datetime | None = None,
        next_batch: int = 0,
        on_coverage: Callable[[Coverage], None] = lambda _: None,
    ) -> None:
        self._volume = volume
        self._code = GeneratedCode()
        self._checkpoint = DurableCheckpoint(volume.checkpoint)
        self._epoch = epoch
        self._publish = publish
        self._max_event_age = max_event_age
        self._as_of = as_of
        self._next_batch = next_batch
        self._on_coverage = on_coverage
        self.failure: Exception | None = None

    def __call__(self, rows: DataFrame, number: int) -> None:
        try:
            if number < self._next_batch:
                raise OSError(f"Spark goes back to batch {number}, the checkpoint is at {self._next_batch}")
            table = rows.toArrow()
            self._write(table, BatchId(self._epoch, number))
            self._code.choose(rows.sparkSession, table.num_rows)
        except Exception as error:  # noqa: BLE001 - whatever it is, the supervisor raises it
            self.failure = error
            # Without the cause: a query that is being stopped searches the text for interruptions, with a
            # pattern that overflows the stack on a Java error's long one (StreamExecution.PROXY_ERROR).
            raise BatchFailed(f"batch {number}: {type(error).__name__}") from None

    def _write(self, rows: pa.Table, batch: BatchId) -> None:
        clock = clock_of(self._volume.checkpoint, batch.number)
        coverage = coverage_of(rows, before=self._as_of, clock=clock, max_event_age=self._max_event_age)
        *parts, (last, final) = split(_changes(rows), batch, clock)
        if not (self._volume.changes / last.name).exists():
            self._checkpoint.sync()
            for file, part in parts:
                self._publish(file.name, part)
            self._publish(last.name, final, coverage)
        self._as_of = coverage.as_of
        self._on_coverage(coverage)


def split(rows: pa.Table, batch: BatchId, clock: datetime) -> list[tuple[RawFile, pa.Table]]:
    """The files of a batch in the order in which they have to appear.

    The last one lies in the folder of the date of the batch's clock, also without rows, and is what a reader
    that follows waits for; the parts before it are those of other dates.
    """
    last = date_folder(clock)
    dates = pc.unique(rows[DATE]).to_pylist()
    by_folder = {date_folder(day): _of_date(rows, day, of=len(dates)) for day in dates}
    final = by_folder.pop(last, SCHEMA.empty_table())
    parts = [(RawFile(batch, folder, is_part=True), part) for folder, part in sorted(by_folder.items())]
    return [*parts, (RawFile(batch, last), final)]


def _changes(rows: pa.Table) -> pa.Table:
    """Without the heartbeats; a batch of a backlog has none and isn't copied for it."""
    times = rows[TIME]
    return rows.filter(pc.is_valid(times)) if times.null_count else rows


def _of_date(rows: pa.Table, day: date, *, of: int) -> pa.Table:
    """The rows of one date, of all dates that there are: `of` says how many."""
    chosen = rows if of == 1 else rows.filter(pc.equal(rows[DATE], pa.scalar(day, pa.date32())))
    return chosen.select(SCHEMA.names).cast(SCHEMA)
