"""The checkpoint by hand.

python -m wiki_consumer.checkpoint          says where the checkpoint is, and what a reset would do
python -m wiki_consumer.checkpoint --reset  moves it aside, so that the consumer begins a new one
"""

import argparse
import sys
from datetime import UTC, datetime
from typing import Final

from wiki_common.settings import read_settings_or_exit
from wiki_common.store.place import Place
from wiki_consumer import logs
from wiki_consumer.checkpoint.lock import NotWritable, exclusive
from wiki_consumer.checkpoint.reset import reset
from wiki_consumer.checkpoint.state import position
from wiki_consumer.settings import Settings
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import list_raw_files

_CONSEQUENCES: Final = """\
What a reset does: the consumer begins a new checkpoint and reads the topic from its oldest record on.
What is lost: records that weren't yet in changes and that the topic no longer holds, or that are older than
  MAX_EVENT_AGE by then. Rows that are in changes or history stay, and none of them is written twice.
  Files of changes that can't be read are moved aside.
"""


def _describe(volume: ConsumerVolume[Place]) -> str:
    at, files = position(volume.checkpoint), list_raw_files(volume.changes)
    newest = f"the newest file in changes is {files[-1].name}" if files else "there are no files in changes"
    return f"{volume.checkpoint}: batch {at.planned} planned, {at.committed} committed; {newest}\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m wiki_consumer.checkpoint")
    parser.add_argument("--reset", action="store_true", help="move the checkpoint aside and begin a new one")
    arguments = parser.parse_args()
    settings = read_settings_or_exit(Settings)
    logs.configure(settings)
    volume = ConsumerVolume(settings.data_dir)
    if not volume.checkpoint.is_dir():
        sys.stdout.write(f"{volume.checkpoint}: there is no checkpoint; the consumer will begin one\n")
        return 0
    sys.stdout.write(_describe(volume) + _CONSEQUENCES)
    if not arguments.reset:
        sys.stdout.write("Nothing was changed. To reset, stop the consumer and add --reset.\n")
        return 0
    try:
        with exclusive(volume.lock) as alone:
            if not alone:
                sys.stderr.write("Nothing was changed: the consumer is running; stop it first.\n")
                return 1
            aside = reset(volume, now=datetime.now(UTC))
    except NotWritable as error:
        sys.stderr.write(f"Nothing was changed: {error}\n")
        return 1
    sys.stdout.write(
        f"The checkpoint is now {aside}.\n"
        f"To undo, before the consumer is started: mv {aside} {volume.checkpoint}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
