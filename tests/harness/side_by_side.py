"""What one worker of pytest-xdist runs one after the other, what comes first, how many workers there are."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Final

import psutil
import pytest
from xdist.scheduler import LoadScopeScheduling

_SPARK: Final = "spark of "
_SPARK_FIXTURES: Final = frozenset({"spark", "spark_engine"})
# Each worker starts a broker and a Spark of its own where it needs them: more are of no use.
_MOST_WORKERS: Final = 4
_MEMORY: Final = 3 * 1024**3
"""Bytes that a worker takes with these, and with a whole pipeline that a test starts beside them."""


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


def workers() -> int:
    """How many are of use here: most tests wait for processes, so that a core has time for two of them."""
    have_room = psutil.virtual_memory().total // _MEMORY
    return max(1, min(2 * (os.cpu_count() or 1), have_room, _MOST_WORKERS))


def hand_over(items: list[pytest.Item], folder: Path) -> None:
    """Tell the process that schedules which groups there are; each worker writes the same."""
    own = folder / f"groups.{os.getpid()}"
    own.write_text(json.dumps({item.nodeid: group_of(item) for item in items}), encoding="utf-8")
    own.replace(folder / "groups.json")


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """The longest groups first, so that no worker ends long after the others; each as it was collected."""
    slow = Counter(group_of(item) for item in items if item.get_closest_marker("slow"))
    patient = {group_of(item) for item in items if item.get_closest_marker("timeout")}

    def rank(item: pytest.Item) -> tuple[bool, str, int, bool]:
        group = group_of(item)
        spark = group.startswith(_SPARK)
        return not spark, group if spark else "", -slow[group], group not in patient

    return sorted(items, key=rank)


def group_of(item: pytest.Item) -> str:
    """The tests of a group share a worker, and with it what their fixtures start.

    All tests of consumer or web that have a Spark session in pytest's own process are one group: it can have
    one at a time.
    """
    if _has_spark_here(item):
        return _SPARK + "/".join(item.nodeid.split("/")[:2])
    return item.nodeid.partition("::")[0]


def _has_spark_here(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)
    engine = item.callspec.params.get("engine") if hasattr(item, "callspec") else None
    return engine == "spark" or not _SPARK_FIXTURES.isdisjoint(item.fixturenames)
