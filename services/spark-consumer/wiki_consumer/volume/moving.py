"""Files and folders elsewhere: on a disk they are renamed, in an object store copied and deleted."""

import shutil
from pathlib import Path

from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place
from wiki_consumer.volume.durable import make_folder


def names_in(folder: Place) -> list[str]:
    """Of the folders in it."""
    if not isinstance(folder, Path):
        return folder.folders()
    return [each.name for each in folder.iterdir() if each.is_dir()]


def move_file(file: Place, target: Place) -> None:
    """To `target`, in the place of what is there."""
    if isinstance(target, Path):
        make_folder(target.parent)
        Path(str(file)).replace(target)
    elif isinstance(file, ObjectPath):
        file.bucket.copy(file.key, target.key)
        file.unlink()


def move_folder(folder: Place, target: Place) -> None:
    """To `target`, which isn't there. In an object store it is whole there before anything goes here."""
    if isinstance(target, Path):
        Path(str(folder)).rename(target)
    elif isinstance(folder, ObjectPath):
        found = list(folder.all_below())
        for each in found:
            each.bucket.copy(each.key, f"{target.key}{each.key.removeprefix(folder.key)}")
        for each in found:
            each.unlink()


def remove_folder(folder: Place) -> None:
    if isinstance(folder, Path):
        shutil.rmtree(folder)
        return
    for each in folder.all_below():
        each.unlink()
