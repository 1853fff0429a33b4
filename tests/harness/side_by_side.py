"""Which tests one worker of pytest-xdist runs one after the other, and which run while nothing else does."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

_SPARK: Final = "spark"
_ALONE: Final = "alone"
# A worker of xdist begins its last test when it has another one or is told that there is none.
_NEARLY_NONE: Final = 2
_SPARK_FIXTURES: Final = frozenset({"spark", "spark_engine"})


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist is without types
    """Hands out the groups that the workers found, in their order.

    xdist's own --dist=loadgroup writes the group into the test's id, which pytest 9 does not let it.
    """

    def __init__(self, config: pytest.Config, log: object, folder: Path) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)
        self._file = folder / "groups.json"
        self._groups: dict[str, str] = {}

    def _split_scope(self, nodeid: str) -> str:
        self._groups = self._groups or json.loads(self._file.read_text(encoding="utf-8"))
        return self._groups[nodeid]

    def _reschedule(self, node: Any) -> None:
        """What runs alone goes to the last worker that is left, so that no other tests wait for it."""
        at_work = [each for each in self.nodes if not each.shutting_down]
        if list(self.workqueue) == [_ALONE] and node in at_work and len(at_work) > 1:
            if self._pending_of(self.assigned_work[node]) <= _NEARLY_NONE:
                node.shutdown()
            return
        super()._reschedule(node)


def hand_over(items: list[pytest.Item], folder: Path) -> None:
    """Tell the process that schedules which groups there are; each worker writes the same."""
    own = folder / f"groups.{os.getpid()}"
    own.write_text(json.dumps({item.nodeid: group_of(item) for item in items}), encoding="utf-8")
    own.replace(folder / "groups.json")


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """The longest groups first, so that no worker ends long after the others; what runs alone last."""
    return sorted(items, key=_rank)


def _rank(item: pytest.Item) -> int:
    group = group_of(item)
    if group in (_SPARK, _ALONE):
        return 0 if group == _SPARK else 3
    return 1 if item.get_closest_marker("timeout") else 2


def group_of(item: pytest.Item) -> str:
    """The tests of a group share a worker, and with it what their fixtures start.

    A process can have one Spark session, so all tests that have theirs in pytest's own process are one group.
    """
    if _has_spark_here(item):
        return _SPARK
    return _ALONE if is_alone(item) else item.nodeid.partition("::")[0]


def is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Wait until no test of another worker is `alone`, or for `alone` until none runs at all."""
    with (folder / "turns").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


def _has_spark_here(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)
    engine = item.callspec.params.get("engine") if hasattr(item, "callspec") else None
    return engine == "spark" or not _SPARK_FIXTURES.isdisjoint(item.fixturenames)
