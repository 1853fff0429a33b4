"""One Spark session for all tests here, and volumes that it wrote: each test works on a copy of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest
from pyspark.sql import SparkSession

from consumer import topics
from consumer.running import JARS
from consumer.volumes import BATCHES, FIRST_BATCHES, GAPS, Volume, ids_of, run_batches
from harness.kafka import Broker
from wiki_common.store.place import Place
from wiki_consumer.query import session


@pytest.fixture(scope="package")
def spark() -> Iterator[SparkSession]:
    """It ends with the last of these tests: what follows has the machine, and a session, for itself."""
    started = session.start("local[2]", JARS, shuffle_partitions=1)
    yield started
    session.stop(started)


@pytest.fixture(scope="package")
def _written(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Volume, Volume]:
    root = tmp_path_factory.mktemp("volumes")
    growing = root / "volume"
    run_batches(spark, growing, range(FIRST_BATCHES))
    first = Volume(growing, ids_of(FIRST_BATCHES)).copy_to(root / "first")
    run_batches(spark, growing, range(FIRST_BATCHES, len(BATCHES)))
    return first, Volume(growing, ids_of(len(BATCHES)))


@pytest.fixture
def volume(_written: tuple[Volume, Volume], tmp_path: Path) -> Volume:
    """Batches 0 to 5, at NOW."""
    return _written[0].copy_to(tmp_path / "volume")


@pytest.fixture
def with_gaps(continued: Volume) -> Volume:
    """The volume after batch 8, whose files tell of GAPS as well."""
    for event_id, gap in GAPS.items():
        continued.tell(continued.raw_file_with(event_id), gap)
    return continued


@pytest.fixture
def continued(_written: tuple[Volume, Volume], tmp_path: Path) -> Volume:
    """The same volume after batch 8."""
    return _written[1].copy_to(tmp_path / "continued")


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.slow)])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a volume may be: a test that asks for it runs on both stores. What it starts is let in too."""
    if request.param == "disk":
        return tmp_path / "data"
    return cast(Place, request.getfixturevalue("s3_folder"))


@pytest.fixture
def topic(broker: Broker, new_topic_name: Callable[[], str]) -> str:
    """One of a single partition."""
    name = new_topic_name()
    topics.create(broker.bootstrap_servers, name)
    return name


@pytest.fixture
def writer(broker: Broker, topic: str, ending: ExitStack) -> topics.Writer:
    """To the test's topic."""
    made = topics.Writer(broker.bootstrap_servers, topic)
    ending.callback(made.close)
    return made
