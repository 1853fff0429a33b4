"""One Spark session for all tests here, and volumes that it wrote: each test works on a copy of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from consumer.running import JARS
from consumer.volumes import BATCHES, BATCHES_WITH_LONG_LOG, NOW, Volume, ids_of, run_batches
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
    run_batches(spark, growing, range(BATCHES_WITH_LONG_LOG), retention="1h")
    first = Volume(growing, ids_of(BATCHES_WITH_LONG_LOG)).copy_to(root / "first")
    run_batches(spark, growing, range(BATCHES_WITH_LONG_LOG, len(BATCHES)), retention="1ms")
    return first, Volume(growing, ids_of(len(BATCHES)))


@pytest.fixture
def volume(_written: tuple[Volume, Volume], tmp_path: Path) -> Volume:
    """Batches 0 to 5, whose clock is NOW, all in the log."""
    copied = _written[0].copy_to(tmp_path / "volume")
    copied.set_batch_clock(BATCHES_WITH_LONG_LOG - 1, NOW)
    return copied


@pytest.fixture
def continued(_written: tuple[Volume, Volume], tmp_path: Path) -> Volume:
    """The same volume after batch 8, whose clock is NOW: the log has dropped what came before."""
    copied = _written[1].copy_to(tmp_path / "continued")
    copied.set_batch_clock(len(BATCHES) - 1, NOW)
    return copied
