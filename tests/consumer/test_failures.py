from wiki_consumer.checkpoint import RESET
from wiki_consumer.failures import Cause, classify

FAILED = (
    "org.apache.spark.sql.streaming.StreamingQueryException",
    "[STREAM_FAILED] Query terminated\nwith …",
)


def causes(*inner: Cause) -> list[Cause]:
    return [FAILED, *inner]


def test_a_full_disk_passes() -> None:
    failure = classify(
        causes(
            ("org.apache.hadoop.fs.FSError", "java.io.IOException: No space left on device"),
            ("java.io.IOException", "No space left on device"),
        )
    )
    assert failure.passing
    assert failure.reason == "no room on the volume (IOException: No space left on device)"


def test_lost_offsets_ask_for_a_decision() -> None:
    failure = classify(
        causes(("org.apache.spark.sql.kafka010.KafkaIllegalStateException", "Some data may have been lost"))
    )
    assert not failure.passing
    assert RESET in failure.reason


def test_damaged_checkpoints_ask_for_a_decision() -> None:
    for cause in (
        ("com.fasterxml.jackson.core.io.JsonEOFException", "Unexpected end-of-input"),
        ("java.io.EOFException", "Stream ended prematurely"),
        ("java.lang.IllegalStateException", "Incomplete log file"),
        ("org.apache.spark.SparkIllegalStateException", "[MALFORMED_LOG_FILE] Log file was malformed"),
    ):
        failure = classify(causes(cause))
        assert not failure.passing
        assert RESET in failure.reason


def test_a_lost_broker_passes() -> None:
    failure = classify(causes(("org.apache.kafka.common.errors.TimeoutException", "Timed out")))
    assert failure.passing
    assert failure.reason == "Kafka: TimeoutException: Timed out"


def test_what_is_unknown_is_one_short_line_and_ends_the_process() -> None:
    failure = classify(causes(("java.lang.RuntimeException", "line one\nline two " + "x" * 1000)))
    assert not failure.passing
    assert "\n" not in failure.reason
    assert len(failure.reason) <= 300
