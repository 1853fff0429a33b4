"""Where everything lies below DATA_DIR, what only the consumer knows of included."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
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
        while aside in earlier:
            now += timedelta(seconds=1)
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
    def writing(self) -> Path:
        """Files on their way to `changes`."""
        return self.checkpoints / "writing"

    @property
    def known_ids(self) -> Path:
        """Ids that a new checkpoint will meet again in the topic."""
        return self.checkpoints / "known-ids.parquet"
