"""Where everything lies below DATA_DIR."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Volume:
    """The paths that the consumer owns; readers know `changes` and `history` only."""

    root: Path

    @property
    def changes(self) -> Path:
        return self.root / "changes"

    @property
    def history(self) -> Path:
        return self.root / "history"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def checkpoint(self) -> Path:
        """The query's checkpoint."""
        return self.checkpoints / "changes"

    @property
    def lock(self) -> Path:
        """Held by whoever writes to the volume."""
        return self.checkpoints / ".lock"

    @property
    def staging(self) -> Path:
        """What a new checkpoint writes before the sink's log has been renumbered for it."""
        return self.root / "staging"

    @property
    def renumbered_log(self) -> Path:
        """The sink's log, renumbered and whole, before it takes its place."""
        return self.checkpoints / "sink-log.new"

    @property
    def known_ids(self) -> Path:
        """Ids that a new checkpoint will meet again in the topic."""
        return self.checkpoints / "known-ids.parquet"
