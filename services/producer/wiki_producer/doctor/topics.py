"""The two topics: whether they are there and ours to use, how long they keep records, and whose time that is.

Kafka tells its clock in none of its answers. What a broker's clock can spoil is told by the settings of the
topic (whose time a record has) and by the newest record.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any, Final

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import KafkaError

from wiki_common.doctor.finding import Finding, note, ok, problem
from wiki_common.duration import duration_text
from wiki_common.kafka.errors import BrokerRefused, no_right
from wiki_producer.kafka.client import BrokerUnreachable, connect_admin
from wiki_producer.kafka.probe import TopicAccess
from wiki_producer.kafka.topic_creation import RETENTION
from wiki_producer.settings import Settings
from wiki_producer.stream.clock import SKEW_SECONDS

NEEDED: Final = ("DESCRIBE", "WRITE", "READ")
CLEANUP: Final = "cleanup.policy"
TIMESTAMPS: Final = "message.timestamp.type"
_CONNECT_MS: Final = 10_000


def check_topics(settings: Settings, topics: Sequence[TopicAccess]) -> Iterator[Finding]:
    """`topics` as a broker has shown them: that of changes first, none where no broker lets us in."""
    if not topics:
        yield note("topics", "not looked at, since no broker lets us in")
    for topic in topics:
        yield from topic_findings(topic, settings)
    if topics and topics[0].partitions:
        yield from _of_changes(topics[0], settings)


def topic_findings(topic: TopicAccess, settings: Settings) -> Iterator[Finding]:
    """Whether we may describe, write and read the topic, whether it is there, and can be written to now."""
    what = f"topic {topic.name}"
    if not topic.visible:
        yield problem(what, str(no_right(topic.name, settings)))
        return
    missing = [name for name in NEEDED if name not in topic.operations]
    if topic.operations and missing:
        yield problem(what, f"no right to {', '.join(missing)}: grant it")
    elif not topic.partitions:
        yield problem(what, "it does not exist: run topic-init, which makes it")
    else:
        yield ok(what, "may describe, write and read" if topic.operations else "may describe")
    if topic.leaderless:
        yield problem(
            f"{what} partitions",
            f"{topic.leaderless} of {topic.partitions} have no leader: see which brokers are down",
        )
    elif topic.partitions:
        yield ok(f"{what} partitions", str(topic.partitions))


def _of_changes(topic: TopicAccess, settings: Settings) -> Iterator[Finding]:
    """What can be asked of a topic that exists, as far as we have the right to."""
    try:
        with closing(connect_admin(settings, _CONNECT_MS)) as admin:
            yield from _configured(admin, topic.name, settings)
            yield newest_finding(topic.name, _newest_ms(admin, topic), time.time(), settings.max_event_age)
    except (BrokerRefused, BrokerUnreachable, KafkaError) as error:
        yield note(f"topic {topic.name} records", f"not looked at: {error}")


def _configured(admin: KafkaAdminClient, topic: str, settings: Settings) -> Iterator[Finding]:
    names = [RETENTION, CLEANUP, TIMESTAMPS]
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, names)
    try:
        [found] = [each[topic] for each in admin.describe_configs([resource], config_filter="all").values()]
        config = {name: str(found[name]["value"]) for name in names}
    except (KafkaError, KeyError, TypeError):
        yield note(f"topic {topic} retention", "not known: no right to ask for the topic's configuration")
        return
    yield retention_finding(topic, config, settings.max_event_age)
    if config[TIMESTAMPS] != "CreateTime":
        yield problem(
            f"topic {topic} time",
            f"{TIMESTAMPS}={config[TIMESTAMPS]}: records have the broker's time, not the stream's:"
            " set it to CreateTime",
        )


def retention_finding(topic: str, config: Mapping[str, str], max_event_age: timedelta) -> Finding:
    """Whether the topic keeps what a restart after MAX_EVENT_AGE would still want to read."""
    what = f"topic {topic} retention"
    if "compact" in config[CLEANUP]:
        return problem(
            what,
            f"{CLEANUP}={config[CLEANUP]}: of the changes of a title only the last is kept: set it to delete",
        )
    milliseconds = int(config[RETENTION])
    if milliseconds < 0:
        return ok(what, "records are kept for ever")
    kept, age = timedelta(milliseconds=milliseconds), duration_text(max_event_age)
    if kept < max_event_age:
        return problem(
            what,
            f"records are kept for {duration_text(kept)}, less than MAX_EVENT_AGE={age}: raise"
            " KAFKA_TOPIC_RETENTION_HOURS and run topic-init",
        )
    return ok(what, f"{duration_text(kept)}, of which a restart needs MAX_EVENT_AGE={age}")


def _newest_ms(admin: KafkaAdminClient, topic: TopicAccess) -> int | None:
    """The time of the topic's newest record; None if it has none."""
    wanted = {TopicPartition(topic.name, each): OffsetSpec.MAX_TIMESTAMP for each in range(topic.partitions)}
    found: Mapping[Any, Any] = admin.list_partition_offsets(wanted, timeout_ms=_CONNECT_MS)
    newest = max((each.timestamp for each in found.values()), default=-1)
    return None if newest < 0 else int(newest)


def newest_finding(topic: str, newest_ms: int | None, now: float, max_event_age: timedelta) -> Finding:
    """How far the topic reaches, by the time of its newest record, which is the stream's."""
    what = f"topic {topic} records"
    if newest_ms is None:
        return ok(what, "none yet")
    age = now - newest_ms / 1000
    if age < -SKEW_SECONDS:
        return problem(what, f"the newest is {-age:.0f} s ahead of our clock: set ours by a time server")
    if age > max_event_age.total_seconds():
        return note(
            what,
            f"the newest is {age:.0f} s old, more than MAX_EVENT_AGE: what came since then and is older than"
            " that will be a gap",
        )
    return ok(what, f"the newest is {max(age, 0.0):.0f} s old")
