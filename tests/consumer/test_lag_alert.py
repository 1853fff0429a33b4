"""A consumer that takes in less than there is warns before what it has not read is too old."""

from contextlib import closing
from pathlib import Path

import pytest

from consumer import topics
from consumer.running import Consumer
from consumer.topics import event
from harness.kafka import Broker
from harness.prometheus import QuickPrometheus


@pytest.mark.slow
def test_a_consumer_that_is_too_slow_is_told(broker: Broker, topic: str, tmp_path: Path) -> None:
    servers = broker.bootstrap_servers
    with closing(topics.Writer(servers, topic)) as writer:
        writer.write([event(number) for number in range(1000)])
    # A record a second, all of which were written at once: the newest that was read gets ever older.
    with closing(Consumer(tmp_path, servers, topic, MAX_OFFSETS_PER_TRIGGER="1")) as consumer:
        consumer.start()
        targets = {"consumer": f"127.0.0.1:{consumer.port}"}
        with closing(QuickPrometheus(tmp_path / "quick", targets)) as prometheus:
            prometheus.wait_until_firing("LagGrowing consumer")
