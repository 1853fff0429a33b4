"""What ended the query, in one line, and whether trying again may help."""

from collections.abc import Sequence
from dataclasses import dataclass

from wiki_consumer.checkpoint.reset import RESET
from wiki_consumer.kafka.java_errors import Cause


@dataclass(frozen=True)
class Failure:
    """`transient`: trying again may help. Otherwise a person or a new process is needed."""

    reason: str
    transient: bool


# Messages and classes as of Spark 4.2 and Java 17.
_FULL = ("No space left on device", "Disk quota exceeded")
_READ_ONLY = "Read-only file system"
_DATA_LOSS = "org.apache.spark.sql.kafka010.KafkaIllegalState"
_UNREADABLE = (
    "com.fasterxml.jackson.",
    "java.io.EOFException",
    "org.apache.hadoop.fs.ChecksumException",
    "org.json4s.",
)
_DAMAGED = ("[CANNOT_LOAD_STATE_STORE", "[MALFORMED_LOG_FILE")
_INCOMPLETE = "Incomplete log file"
_KAFKA = "org.apache.kafka."
_STORE = ("org.apache.hadoop.fs.s3a.", "software.amazon.awssdk.")
_MAX_LENGTH = 300


def classify(causes: Sequence[Cause], *, on_disk: bool = True) -> Failure:
    """The reason that we know of, if one of `causes` shows it; else the innermost cause.

    A file that ends too early was cut on its way if the checkpoint isn't `on_disk`: a store holds it whole.
    """
    name, message = causes[-1]
    innermost = _one_line(f"{name.rpartition('.')[2]}: {message}")
    if any(text in message for _, message in causes for text in _FULL):
        return Failure(f"no room on the volume ({innermost})", transient=True)
    # Before what is damaged: Spark says that its state can't be loaded when the disk or the store fails.
    if any(name.startswith(_STORE) for name, _ in causes):
        return Failure(f"the object store: {innermost}", transient=True)
    if any(_READ_ONLY in message for _, message in causes):
        return Failure(f"the volume is read-only ({innermost})", transient=True)
    if any(name.startswith(_DATA_LOSS) for name, _ in causes):
        return Failure(
            "the topic no longer holds the records that the checkpoint goes on from: it was deleted, or they"
            f" expired before they were read. What it holds can be read with: {RESET}",
            transient=False,
        )
    if any(_is_unreadable(cause) for cause in causes):
        if not on_disk:
            return Failure(f"a file of the checkpoint can't be read ({innermost})", transient=True)
        return Failure(
            f"a file of the checkpoint is damaged ({innermost}). To begin a new one: {RESET}", transient=False
        )
    if name.startswith(_KAFKA):
        return Failure(f"Kafka: {innermost}", transient=True)
    return Failure(innermost, transient=False)


def _is_unreadable(cause: Cause) -> bool:
    name, message = cause
    return name.startswith(_UNREADABLE) or message.startswith(_DAMAGED) or _INCOMPLETE in message


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_MAX_LENGTH]
