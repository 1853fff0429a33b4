from datetime import UTC, datetime, timedelta
from pathlib import Path

from wiki_consumer.checkpoint.reset import reset
from wiki_consumer.checkpoint.state import TOPIC_FILE, check_topic
from wiki_consumer.volume.folders import ConsumerVolume

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_reset_moves_the_checkpoint_aside(tmp_path: Path) -> None:
    volume = ConsumerVolume(tmp_path)
    check_topic(volume.checkpoint, "wiki-changes", "id-1")
    aside = reset(volume, now=NOW)
    assert not volume.checkpoint.exists()
    assert (aside / TOPIC_FILE).read_text() == "wiki-changes (id id-1)"


def test_only_the_checkpoint_of_the_last_reset_is_kept(tmp_path: Path) -> None:
    volume = ConsumerVolume(tmp_path)
    for hours in range(3):
        check_topic(volume.checkpoint, "wiki-changes", f"id-{hours}")
        aside = reset(volume, now=NOW + timedelta(hours=hours))
    assert list(volume.checkpoints.glob("changes.reset-*")) == [aside]
    assert (aside / TOPIC_FILE).read_text() == "wiki-changes (id id-2)"
