"""python -m wiki_producer.doctor [--json] [--running]"""

import asyncio
import sys
from collections.abc import Iterator
from functools import partial

from wiki_common.doctor.command import examine
from wiki_common.doctor.finding import Check
from wiki_common.doctor.running import check_health
from wiki_producer.doctor.broker import check_broker
from wiki_producer.doctor.stream import check_stream
from wiki_producer.doctor.topics import check_topics
from wiki_producer.kafka.probe import TopicAccess
from wiki_producer.settings import Settings


def checks(settings: Settings, running: bool) -> Iterator[Check]:
    """In the order of an event's way, backwards: the topic is what a start needs first."""
    topics: list[TopicAccess] = []
    for server in settings.kafka_bootstrap_servers:
        yield Check(server, partial(check_broker, server, settings, topics))
    yield Check("topics", partial(check_topics, settings, topics))
    yield Check("stream", lambda: asyncio.run(check_stream(settings)))
    if running:
        yield Check("health", partial(check_health, settings.bind_address, settings.metrics_port))


def main() -> int:
    return examine("producer", Settings, checks)


if __name__ == "__main__":
    sys.exit(main())
