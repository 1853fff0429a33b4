"""Where everything lies below DATA_DIR, what only the consumer knows of included."""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wiki_common.volume import Volume


@dataclass(frozen=True)
class ConsumerVolume(Volume):
    """The shared folders, and those that are the consumer's own."""

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
