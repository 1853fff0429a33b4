"""Where everything lies below DATA_DIR."""

import shutil
from dataclasses import dataclass
from datetime import datetime
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

    def set_aside(self, folder: Path, name: str, *, now: datetime) -> Path:
        """Move `folder` to `name`-<time> among the checkpoints, in the place of what was there so before.

        Returns where it is now.
        """
        earlier = list(self.checkpoints.glob(f"{name}-*"))
        aside = self.checkpoints / f"{name}-{now:%Y%m%dT%H%M%SZ}"
        folder.rename(aside)
        for superseded in earlier:
            shutil.rmtree(superseded)
        return aside

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
