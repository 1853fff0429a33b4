from pathlib import Path

from consumer.running import Consumer


def test_a_volume_that_nothing_can_be_made_on_ends_the_consumer_with_one_line(tmp_path: Path) -> None:
    """Such as one that is read-only as yet: a supervisor tries again."""
    consumer = Consumer(tmp_path, "127.0.0.1:1", "changes")
    consumer.data.touch()
    try:
        assert consumer.start().wait(120) == 1
    finally:
        consumer.close()
    assert "consumer ends" in consumer.output()
    assert f"DATA_DIR can't be written to ({consumer.data}" in consumer.output()
    assert "Traceback" not in consumer.output()
