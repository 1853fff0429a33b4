from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consumer.volumes import MAX_EVENT_AGE, NOW, Volume
from wiki_consumer.checkpoint.batch_clock import (
    CLOCK_MARGIN,
    CheckpointUnreadable,
    clock_of,
    complete_until,
)


def complete(volume: Volume, now: datetime = NOW) -> datetime | None:
    return complete_until(volume.checkpoint, max_event_age=MAX_EVENT_AGE, now=now)


def test_is_the_last_committed_batchs_clock_less_the_age_that_it_lets_pass(volume: Volume) -> None:
    assert complete(volume, NOW + timedelta(days=1)) == NOW - MAX_EVENT_AGE - CLOCK_MARGIN


def test_an_interrupted_batch_counts_with_its_old_clock(volume: Volume) -> None:
    (volume.checkpoint / "commits/5").unlink()
    volume.set_batch_clock(4, NOW - timedelta(hours=2))
    volume.set_batch_clock(5, NOW - timedelta(hours=3))

    assert complete(volume) == NOW - timedelta(hours=3) - MAX_EVENT_AGE - CLOCK_MARGIN


def test_an_interrupted_batch_is_not_taken_for_committed(volume: Volume) -> None:
    (volume.checkpoint / "commits/5").unlink()
    volume.set_batch_clock(4, NOW - timedelta(hours=2))

    assert complete(volume) == NOW - timedelta(hours=2) - MAX_EVENT_AGE - CLOCK_MARGIN


def test_a_clock_that_was_set_back_counts(volume: Volume) -> None:
    earlier = NOW - timedelta(hours=2)

    assert complete(volume, earlier) == earlier - MAX_EVENT_AGE - CLOCK_MARGIN


@pytest.mark.parametrize("jump_at", ["idle", "planned", "interrupted", "committed"])
def test_a_clock_that_is_behind_and_is_set_right_completes_nothing_that_a_batch_may_still_write(
    tmp_path: Path, jump_at: str
) -> None:
    """Hours behind, then right: whenever the jump comes, and whenever the maintenance looks."""
    behind, completed = timedelta(hours=3), datetime.min.replace(tzinfo=UTC)

    def look(clock: datetime, number: int) -> None:
        nonlocal completed
        completed = max(
            completed,
            complete_until(tmp_path, max_event_age=MAX_EVENT_AGE, now=clock) or completed,
        )
        planned = tmp_path / "offsets" / str(number)
        oldest = clock_of(tmp_path, number) if planned.exists() else clock
        assert completed <= oldest - MAX_EVENT_AGE

    clock = NOW - behind
    for number in range(6):
        for step in ("idle", "planned", "interrupted", "committed"):
            if step == "planned":
                put_batch(tmp_path, "offsets", number, clock)
            elif step == "committed":
                put_batch(tmp_path, "commits", number, clock)
            if number == 3 and step == jump_at:
                clock += behind
            look(clock, number)
            clock += timedelta(seconds=1)
    assert completed == clock_of(tmp_path, 5) - MAX_EVENT_AGE - CLOCK_MARGIN


def put_batch(checkpoint: Path, log: str, number: int, clock: datetime) -> None:
    file = checkpoint / log / str(number)
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'v1\n{{"batchTimestampMs": {round(clock.timestamp() * 1000)}}}\n{{}}')


def test_before_the_first_commit_nothing_is_complete(tmp_path: Path) -> None:
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
        complete(volume)


def test_names_the_file_that_is_missing(volume: Volume) -> None:
    (volume.checkpoint / "offsets/5").unlink()

    with pytest.raises(CheckpointUnreadable, match="offsets/5"):
        complete(volume)
