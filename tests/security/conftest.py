"""One secure broker and one stream for all of these tests."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from harness.secure_broker import SecureBroker
from harness.simulator import Simulator


@pytest.fixture(scope="session")
def secure_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    with closing(SecureBroker(tmp_path_factory.mktemp("secure-broker"))) as broker:
        yield broker


@pytest.fixture(scope="session")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Endless events of all wikis."""
    with closing(Simulator(tmp_path_factory.mktemp("stream"))) as simulator:
        simulator.run(start=time.time(), rate=200, events=0)
        yield simulator
