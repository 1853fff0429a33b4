from pathlib import Path

import pytest

from wiki_common.doctor.finding import Level
from wiki_common.doctor.volume import Disk, filesystem_in, kind_finding, space_finding

MOUNTS = [
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
    "23 22 0:21 / /proc rw shared:9 - proc proc rw",
    r"40 22 0:40 / /srv/a\040volume rw - nfs4 host:/export rw",
    "41 22 0:41 / /srv/data rw - ext4 /dev/vdb rw",
    "42 41 0:42 / /srv/data rw - xfs /dev/vdc rw",
]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/srv/database", "ext4"),
        ("/srv/a volume/changes", "nfs4"),
        ("/srv/data", "xfs"),
        ("/srv/data/changes", "xfs"),
    ],
)
def test_the_filesystem_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    assert filesystem_in(MOUNTS, Path(path)) == kind


@pytest.mark.parametrize(
    ("kind", "level", "says"),
    [
        ("ext4", Level.OK, "ext4"),
        ("tmpfs", Level.NOTE, "in memory"),
        ("overlay", Level.NOTE, "unless a volume is mounted"),
        ("nfs4", Level.NOTE, "the page isn't told of new files"),
        ("fuse.sshfs", Level.NOTE, "the page isn't told of new files"),
    ],
)
def test_a_kind_that_behaves_unlike_a_disk_is_noted(kind: str, level: Level, says: str) -> None:
    found = kind_finding(kind)
    assert found.level is level
    assert says in found.detail


def disk(free: int = 50, usable: int = 100, free_inodes: int = 50, inodes: int = 100) -> Disk:
    return Disk(free * 2**30, usable * 2**30, free_inodes, inodes)


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (disk(), Level.OK),
        (disk(free=10), Level.OK),
        (disk(free=9), Level.PROBLEM),
        (disk(free_inodes=9), Level.PROBLEM),
        (disk(free_inodes=0, inodes=0), Level.OK),
        (disk(free=0, usable=0), Level.PROBLEM),
    ],
)
def test_little_space_and_few_inodes_are_problems(found: Disk, level: Level) -> None:
    assert space_finding(found).level is level
