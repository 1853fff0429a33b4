"""Fixtures for all tests: the shared broker, and topics that no other test uses."""

import itertools
import logging
import os
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import side_by_side
from harness.kafka import Broker

_SHARED = pytest.StashKey[Path]()
"""A folder that the workers of pytest-xdist share with the process that started them."""


def pytest_configure(config: pytest.Config) -> None:
    """Processes that tests start find the services where the tests do, and end with a closed terminal."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup they would inherit that it is ignored
    # py4j tells of each connection that it closes, the last ones after pytest has closed the log.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    folders = config.getini("pythonpath")
    os.environ["PYTHONPATH"] = os.pathsep.join(str(config.rootpath / folder) for folder in folders)
    if workerinput := getattr(config, "workerinput", None):
        config.stash[_SHARED] = Path(workerinput["shared"])
    else:
        folder = tempfile.TemporaryDirectory(prefix="pytest-shared-")
        config.add_cleanup(folder.cleanup)
        config.stash[_SHARED] = Path(folder.name)


def pytest_configure_node(node: Any) -> None:
    node.workerinput["shared"] = str(node.config.stash[_SHARED])


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> side_by_side.Groups:
    return side_by_side.Groups(config, log, config.stash[_SHARED])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Also without workers in their order: Spark's sessions must not meet in one process."""
    items[:] = side_by_side.in_order(items)
    side_by_side.hand_over(items, config.stash[_SHARED])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test's time, and its timeout, begin when it has its turn."""
    with side_by_side.turn(item.config.stash[_SHARED], alone=side_by_side.is_alone(item)):
        return (yield)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One real broker for the whole run. A test that stops or kills its broker makes its own `Broker`."""
    started = Broker(tmp_path_factory.mktemp("broker"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def new_topic_name() -> Callable[[], str]:
    """A fresh topic name at each call; nothing is created."""
    numbers = itertools.count(1)
    return lambda: f"test-changes-{next(numbers)}"
