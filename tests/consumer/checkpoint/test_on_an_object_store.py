"""A checkpoint in an object store: how it is begun, moved aside and examined."""

import json
from datetime import UTC, datetime

import pytest

from wiki_common.doctor.finding import Level
from wiki_common.store.bucket import Changed
from wiki_common.store.objects import ObjectPath
from wiki_consumer.checkpoint import state
from wiki_consumer.checkpoint.epoch import EPOCH_FILE, epoch_of
from wiki_consumer.checkpoint.reset import reset
from wiki_consumer.doctor.checkpoint import check_checkpoint
from wiki_consumer.doctor.volume import check_volume
from wiki_consumer.settings import Settings
from wiki_consumer.volume.folders import ConsumerVolume

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def volume(s3_folder: ObjectPath) -> ConsumerVolume[ObjectPath]:
    """With a checkpoint that has committed batch 7."""
    made = ConsumerVolume(s3_folder)
    planned = "v1\n" + json.dumps({"batchTimestampMs": round(NOW.timestamp() * 1000)}) + "\n{}"
    (made.checkpoint / "offsets/7").write_bytes(planned.encode())
    (made.checkpoint / "commits/7").write_bytes(b"v1\n{}")
    return made


def test_its_epoch_is_written_once(volume: ConsumerVolume[ObjectPath]) -> None:
    assert state.position(volume.checkpoint) == state.Position(7, 7)
    assert epoch_of(volume.checkpoint, [], now=NOW) == "20260131T120000Z"
    assert epoch_of(volume.checkpoint, [], now=datetime.now(UTC)) == "20260131T120000Z"
    with pytest.raises(Changed):
        (volume.checkpoint / EPOCH_FILE).write_bytes(b"another", if_absent=True)


def test_a_reset_moves_it_aside_and_keeps_one(volume: ConsumerVolume[ObjectPath]) -> None:
    for _ in range(2):
        aside = reset(volume, now=NOW)
        assert not volume.checkpoint.is_dir()
        assert (aside / "offsets/7").exists()
        (volume.checkpoint / "offsets/7").write_bytes((aside / "offsets/7").read_bytes())
    assert [name for name in volume.checkpoints.folders() if "reset" in name] == [aside.name]


def test_the_doctor_finds_it_well(volume: ConsumerVolume[ObjectPath]) -> None:
    settings = Settings(data_dir=volume.root)
    found = [*check_volume(settings.data_dir), *check_checkpoint(settings, running=False)]
    assert [each for each in found if each.level is Level.PROBLEM] == []
    assert any(f"{volume.root} can be written to" in each.detail for each in found)


def test_the_doctor_says_what_is_wrong(
    volume: ConsumerVolume[ObjectPath], monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(path: ObjectPath, data: bytes, **_: object) -> str:
        return path.bucket.put(path.key, data)

    monkeypatch.setattr(ObjectPath, "write_bytes", write)
    (finding, *_) = check_volume(volume.root)
    assert "passes over If-None-Match" in finding.detail
