"""Where everything lies below DATA_DIR, what only the consumer knows of included."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from wiki_common.store.place import Place, PlaceT
from wiki_common.volume import Volume
from wiki_consumer.volume.moving import move_folder, names_in, remove_folder


@dataclass(frozen=True)
class ConsumerVolume(Volume[PlaceT]):
    """The shared folders, and those that are the consumer's own."""

    @property
    def checkpoint(self) -> PlaceT:
        """The query's checkpoint."""
        return cast(PlaceT, self.checkpoints / "changes")

    def set_aside(self, folder: Place, name: str, *, now: datetime) -> PlaceT:
        """Move `folder` to `name`-<time> among the checkpoints, in the place of what was there so before.

        Returns where it is now.
        """
        earlier = [each for each in names_in(self.checkpoints) if each.startswith(f"{name}-")]
        while (aside := f"{name}-{now:%Y%m%dT%H%M%SZ}") in earlier:
            now += timedelta(seconds=1)
        move_folder(folder, self.checkpoints / aside)
        for superseded in earlier:
            remove_folder(self.checkpoints / superseded)
        return cast(PlaceT, self.checkpoints / aside)

    @property
    def lock(self) -> PlaceT:
        """Held by whoever writes to the volume."""
        return cast(PlaceT, self.checkpoints / ".lock")

    @property
    def writing(self) -> PlaceT:
        """Files on their way to `changes`."""
        return cast(PlaceT, self.checkpoints / "writing")

    @property
    def known_ids(self) -> PlaceT:
        """Ids that a new checkpoint will meet again in the topic."""
        return cast(PlaceT, self.checkpoints / "known-ids.parquet")
