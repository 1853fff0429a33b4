"""Fixtures for all tests: the shared broker, and topics that no other test uses."""

import itertools
import logging
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from harness.kafka import Broker


def pytest_configure(config: pytest.Config) -> None:
    """Processes that tests start find the services where the tests do, and end with a closed terminal."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup they would inherit that it is ignored
    # py4j tells of each connection that it closes, the last ones after pytest has closed the log.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    folders = config.getini("pythonpath")
    os.environ["PYTHONPATH"] = os.pathsep.join(str(config.rootpath / folder) for folder in folders)


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
