from wiki_consumer.checkpoint.reset import RESET
from wiki_consumer.kafka.java_errors import Cause
from wiki_consumer.query.failures import classify

FAILED = (
    "org.apache.spark.sql.streaming.StreamingQueryException",
    "[STREAM_FAILED] Query terminated\nwith …",
)


def causes(*inner: Cause) -> list[Cause]:
    return [FAILED, *inner]


def test_a_full_disk_is_transient() -> None:
    failure = classify(
        causes(
            ("org.apache.hadoop.fs.FSError", "java.io.IOException: No space left on device"),
            ("java.io.IOException", "No space left on device"),
        )
    )
    assert failure.transient
    assert failure.reason == "no room on the volume (IOException: No space left on device)"


def test_a_volume_that_is_read_only_for_a_while_is_not_damaged() -> None:
    failure = classify(
        causes(
            ("org.apache.spark.SparkException", "[CANNOT_LOAD_STATE_STORE.UNCATEGORIZED] An error occurred"),
            ("java.io.FileNotFoundException", "/data/.12.changelog.tmp (Read-only file system)"),
        )
    )
    assert failure.transient
    assert failure.reason == (
        "the volume is read-only (FileNotFoundException: /data/.12.changelog.tmp (Read-only file system))"
    )


def test_lost_offsets_ask_for_a_decision() -> None:
    failure = classify(
        causes(("org.apache.spark.sql.kafka010.KafkaIllegalStateException", "Some data may have been lost"))
    )
    assert not failure.transient
    assert RESET in failure.reason


def test_damaged_checkpoints_ask_for_a_decision() -> None:
    for cause in (
        ("com.fasterxml.jackson.core.io.JsonEOFException", "Unexpected end-of-input"),
        ("java.io.EOFException", "Stream ended prematurely"),
        ("java.lang.IllegalStateException", "Incomplete log file"),
        ("org.apache.spark.SparkIllegalStateException", "[MALFORMED_LOG_FILE] Log file was malformed"),
    ):
        failure = classify(causes(cause))
        assert not failure.transient
        assert RESET in failure.reason
        # What comes from an object store was cut on its way.
        assert classify(causes(cause), on_disk=False).transient


def test_a_store_that_fails_is_transient() -> None:
    failure = classify(causes(("org.apache.hadoop.fs.s3a.AWSServiceIOException", "503 SlowDown")))
    assert failure.transient
    assert failure.reason == "the object store: AWSServiceIOException: 503 SlowDown"


def test_a_lost_broker_is_transient() -> None:
    failure = classify(causes(("org.apache.kafka.common.errors.TimeoutException", "Timed out")))
    assert failure.transient
    assert failure.reason == "Kafka: TimeoutException: Timed out"


def test_what_is_unknown_is_one_short_line_and_ends_the_process() -> None:
    failure = classify(causes(("java.lang.RuntimeException", "line one\nline two " + "x" * 1000)))
    assert not failure.transient
    assert "\n" not in failure.reason
    assert len(failure.reason) <= 300
