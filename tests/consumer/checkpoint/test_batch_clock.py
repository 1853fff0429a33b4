from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consumer.volumes import MAX_EVENT_AGE, NOW, Volume
from wiki_consumer.checkpoint.batch_clock import CLOCK_MARGIN, CheckpointUnreadable, complete_until


def settled(volume: Volume, now: datetime = NOW) -> datetime | None:
    return complete_until(volume.checkpoint, max_event_age=MAX_EVENT_AGE, now=now)


def test_is_the_last_committed_batchs_clock_less_the_age_that_it_lets_pass(volume: Volume) -> None:
    assert settled(volume, NOW + timedelta(days=1)) == NOW - MAX_EVENT_AGE - CLOCK_MARGIN


def test_an_interrupted_batch_counts_with_its_old_clock(volume: Volume) -> None:
    (volume.checkpoint / "commits/5").unlink()
    volume.set_batch_clock(4, NOW - timedelta(hours=2))
    volume.set_batch_clock(5, NOW - timedelta(hours=3))

    assert settled(volume) == NOW - timedelta(hours=3) - MAX_EVENT_AGE - CLOCK_MARGIN


def test_an_interrupted_batch_is_not_taken_for_committed(volume: Volume) -> None:
    (volume.checkpoint / "commits/5").unlink()
    volume.set_batch_clock(4, NOW - timedelta(hours=2))

    assert settled(volume) == NOW - timedelta(hours=2) - MAX_EVENT_AGE - CLOCK_MARGIN


def test_a_clock_that_was_set_back_counts(volume: Volume) -> None:
    earlier = NOW - timedelta(hours=2)

    assert settled(volume, earlier) == earlier - MAX_EVENT_AGE - CLOCK_MARGIN


def test_before_the_first_commit_nothing_is_settled(tmp_path: Path) -> None:
    assert complete_until(tmp_path, max_event_age=MAX_EVENT_AGE, now=datetime.now(UTC)) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"v1",
        b"v3\n{}\n",
        b"v1\n{}\n{}",
        b"v1\n[]\n{}",
        b"v1\n\xff\n{}",
        b'v1\n{"batchTimestampMs":1e300}\n{}',
    ],
)
def test_names_the_file_that_it_cannot_read(volume: Volume, content: bytes) -> None:
    (volume.checkpoint / "offsets/5").write_bytes(content)

    with pytest.raises(CheckpointUnreadable, match="offsets/5: "):
        settled(volume)


def test_names_the_file_that_is_missing(volume: Volume) -> None:
    (volume.checkpoint / "offsets/5").unlink()

    with pytest.raises(CheckpointUnreadable, match="offsets/5"):
        settled(volume)
