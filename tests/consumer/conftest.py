"""One Spark session for all tests here that need one."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from consumer.running import JARS
from wiki_consumer import session


@pytest.fixture(scope="package")
def spark() -> Iterator[SparkSession]:
    """It ends with the last of these tests: what follows has the machine, and a session, for itself."""
    started = session.start("local[2]", JARS, shuffle_partitions=1)
    yield started
    session.stop(started)
