"""The disk that DATA_DIR lies on: whether it is there, of which kind it is, and how much room it has."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wiki_common.doctor.finding import Finding, note, ok, problem

LEAST_SHARE: Final = 0.1
"""Less free space, or fewer free inodes, is a problem."""

_MOUNTS: Final = Path("/proc/self/mountinfo")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_OF_A_NETWORK: Final = re.compile(r"nfs4?|cifs|smb\w*|9p|virtiofs|ceph|fuse\..*|afs")


@dataclass(frozen=True)
class Disk:
    """What is free and what can be used at all; inodes are 0 where the filesystem has no number of them."""

    free: int
    usable: int
    """bytes, as df counts: what is kept for root is neither free nor used"""
    free_inodes: int
    inodes: int

    @classmethod
    def of(cls, folder: Path) -> "Disk":
        """The disk that `folder` lies on. Raises OSError."""
        room, nodes = shutil.disk_usage(folder), os.statvfs(folder)
        return cls(room.free, room.used + room.free, nodes.f_favail, nodes.f_files)


def check_disk(data_dir: Path) -> Iterator[Finding]:
    """Raises OSError where it isn't there or can't be entered: the checks of its users say so."""
    kind = filesystem_of(data_dir)
    if kind is not None:
        yield kind_finding(kind)
    yield space_finding(Disk.of(data_dir))


def kind_finding(kind: str) -> Finding:
    """Whether a filesystem behaves as a disk of this machine."""
    what = "volume kind"
    if kind in _IN_MEMORY:
        return note(what, f"{kind}: it is in memory, and gone at the machine's next start")
    if kind == "overlay":
        return note(what, "overlay: in a container it is gone with that, unless a volume is mounted there")
    if _OF_A_NETWORK.fullmatch(kind):
        return note(
            what, f"{kind}: the page isn't told of new files there, and looks for them; see that locks work"
        )
    return ok(what, kind)


def filesystem_of(path: Path) -> str | None:
    """As Linux calls it, such as `ext4`; None where that isn't known."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    return filesystem_in(lines, path.resolve())


def filesystem_in(mountinfo: list[str], path: Path) -> str | None:
    """The kind of the mount that `path`, free of links, lies in; of several at one point, of the last."""
    found, longest = None, 0
    for line in mountinfo:
        mount, _, kind = line.partition(" - ")
        mounted = Path(_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), mount.split()[4]))
        if (path == mounted or mounted in path.parents) and len(mounted.parts) >= longest:
            found, longest = kind.split()[0], len(mounted.parts)
    return found


def space_finding(disk: Disk) -> Finding:
    """Whether there is room for what comes."""
    share = disk.free / disk.usable if disk.usable else 0.0
    inodes = disk.free_inodes / disk.inodes if disk.inodes else 1.0
    found = f"{disk.free / 2**30:.1f} GiB free, {share:.0%} of it, and {inodes:.0%} of the inodes"
    if min(share, inodes) >= LEAST_SHARE:
        return ok("volume space", found)
    return problem(
        "volume space", f"{found}: less than {LEAST_SHARE:.0%}: make room, or lower HISTORY_RETENTION"
    )
