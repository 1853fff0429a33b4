"""For all tests: how they share a machine, where random choices begin, the shared broker, its topics."""

import itertools
import logging
import os
import random
import re
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from harness import class_archive, kafka_sockets, side_by_side
from harness.kafka import Broker
from harness.object_store import ObjectStore, object_store
from harness.store_proxy import CUT, LOST, REFUSED, SLOW, StoreProxy, store_proxy
from wiki_common.store import place
from wiki_common.store.objects import ObjectPath

_SHARED = pytest.StashKey[Path]()
"""A folder that the workers of pytest-xdist share with the process that started them."""

_SEED = "TEST_SEED"

# A busy machine is no failure, and an example that failed can be repeated from the log.
settings.register_profile(
    "tests", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Processes that tests start find the services where the tests do, and end with a closed terminal."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup they would inherit that it is ignored
    # py4j tells of each connection that it closes, the last ones after pytest has closed the log.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    kafka_sockets.name_them()
    folders = config.getini("pythonpath")
    os.environ["PYTHONPATH"] = os.pathsep.join(str(config.rootpath / folder) for folder in folders)
    # Spark's JVM lives for some seconds in a test: most of them would go to optimizing its code. With one
    # compiler alone it has 48 MB for code; a session that many tests share fills them, and compiles anew.
    java = f"-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m {class_archive.options()}"
    os.environ["SPARK_SUBMIT_OPTS"] = java
    if workerinput := getattr(config, "workerinput", None):
        config.stash[_SHARED] = Path(workerinput["shared"])
    else:
        _agree_on_a_seed(config)
        folder = tempfile.TemporaryDirectory(prefix="pytest-shared-")
        config.add_cleanup(folder.cleanup)
        config.stash[_SHARED] = Path(folder.name)


def _agree_on_a_seed(config: pytest.Config) -> None:
    """TEST_SEED repeats a run: the workers inherit it, and Hypothesis takes it too where it was given."""
    if given := os.environ.get(_SEED):
        if not given.isdecimal():
            raise pytest.UsageError(f"{_SEED}={given}: expected a whole number")
        config.option.hypothesis_seed = given
    else:
        os.environ[_SEED] = str(random.randrange(10**6))


def pytest_report_header() -> str:
    return f"{_SEED}={os.environ[_SEED]}"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["shared"] = str(node.config.stash[_SHARED])


def pytest_xdist_auto_num_workers() -> int:
    return side_by_side.workers()


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> side_by_side.Groups:
    return side_by_side.Groups(config, log, config.stash[_SHARED])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Also without workers in their order: Spark's sessions must not meet in one process."""
    items[:] = side_by_side.in_order(items)
    side_by_side.hand_over(items, config.stash[_SHARED])


@pytest.fixture
def seed() -> int:
    """What a test's random choices begin with: another one in each run, unless TEST_SEED says which."""
    value = int(os.environ[_SEED])
    print(f"to repeat its choices: {_SEED}={value}")  # noqa: T201 - shown when the test fails
    return value


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for TMPDIR. Not below pytest's: the path of supervisord's socket would be too long."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


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


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """One store for the whole run; each test has a folder of its own."""
    with object_store(tmp_path_factory.mktemp("s3") / "log") as started:
        yield started


@pytest.fixture
def s3_folder(
    s3: ObjectStore, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[ObjectPath]:
    """An empty one, which this process reaches."""
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    place.object_path.cache_clear()
    yield s3.path(re.sub(r"[^A-Za-z0-9_]", "-", request.node.name))
    place.object_path.cache_clear()


@pytest.fixture
def failing_s3(s3: ObjectStore, s3_folder: ObjectPath, seed: int) -> Iterator[StoreProxy]:
    """A way to that folder's store on which a share of the requests fails; this process takes another one."""
    with store_proxy(s3.endpoint, seed) as proxy:
        proxy.faults = {SLOW: 0.01, REFUSED: 0.02, CUT: 0.02, LOST: 0.02}
        yield proxy


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    """What a test starts is put here, and ended with it."""
    with ExitStack() as stack:
        yield stack
