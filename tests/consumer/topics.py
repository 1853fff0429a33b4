"""Records for the topic: a small seeded generator, and the ways to put them there."""

import json
import random
import time
from collections.abc import Iterable
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError

from harness.processes import wait_until


def event(number: int, *, at: float | None = None, **fields: Any) -> dict[str, Any]:
    """Event `number` as the producer writes it, at `at` (seconds since the epoch; now if None)."""
    seconds = time.time() if at is None else at
    title = f"Page {random.Random(number).randint(1, 50)}"
    made = {
        "$schema": "/mediawiki/recentchange/1.0.0",
        "meta": {
            "id": f"event-{number}",
            "dt": _rfc3339(seconds),
            "domain": "en.wikipedia.org",
            "uri": f"https://en.wikipedia.org/wiki/{title.replace(' ', '_')}",
        },
        "id": 3_000_000_000 + number,
        "type": "edit",
        "namespace": 0,
        "title": title,
        "title_url": f"https://en.wikipedia.org/wiki/{title.replace(' ', '_')}",
        "comment": "a comment",
        "timestamp": int(seconds),
        "user": f"User {number % 7}",
        "bot": number % 3 == 0,
        "minor": False,
        "patrolled": True,
        "length": {"old": 100, "new": 100 + number},
        "revision": {"old": 5_000_000_000 + number, "new": 5_000_000_001 + number},
        "server_name": "en.wikipedia.org",
        "wiki": "enwiki",
        "notify_url": f"https://en.wikipedia.org/w/index.php?diff={number}",
    }
    return made | fields


def _rfc3339(seconds: float) -> str:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{stamp}.{int(seconds * 1000) % 1000:03d}Z"


def create(bootstrap_servers: str, topic: str, *, partitions: int = 1, **config: str) -> None:
    """A topic of that name, as soon as one that was deleted is wholly gone."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap_servers)

    def created() -> bool:
        try:
            admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=config)])
        except TopicAlreadyExistsError as error:
            if "marked for deletion" not in str(error):
                raise
            return False
        return True

    try:
        wait_until(created, timeout=60, what=f"the old topic {topic} is gone")
    finally:
        admin.close()


def delete(bootstrap_servers: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        admin.delete_topics([topic])
    finally:
        admin.close()


def delete_records(bootstrap_servers: str, topic: str, *, before: int) -> None:
    """Delete the records of partition 0 that lie before this offset, as the retention does."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        admin.delete_records({TopicPartition(topic, 0): before})
    finally:
        admin.close()


class Writer:
    """Puts values into a topic: events as JSON, bytes and None as they are."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._topic = topic
        self._producer = KafkaProducer(bootstrap_servers=bootstrap_servers, linger_ms=20)

    def write(self, values: Iterable[dict[str, Any] | bytes | None], *, at: float | None = None) -> None:
        """As written `at` (seconds since the epoch; now if None). Returns when the broker has them all."""
        timestamp = None if at is None else round(at * 1000)
        sent = []
        for value in values:
            if isinstance(value, dict):
                key = str(value.get("title", "")).encode()
                data: bytes | None = json.dumps(value).encode()
            else:
                key, data = b"raw", value
            sent.append(self._producer.send(self._topic, data, key=key, timestamp_ms=timestamp))
        for future in sent:
            future.get(timeout=60)

    def beat(self, at: float, *, covered_from: float | None = None, partition: int = 0) -> None:
        """A heartbeat: the stream was read up to `at`, without a gap from `covered_from` on."""
        value = {"meta": {"id": f"{at}-{partition}", "dt": _rfc3339(at), "domain": "canary"}}
        headers = [] if covered_from is None else [("covered-from", _rfc3339(covered_from).encode())]
        sent = self._producer.send(
            self._topic,
            json.dumps(value).encode(),
            headers=[("last-event-id", b"[]"), *headers],
            partition=partition,
            timestamp_ms=round(at * 1000),
        )
        sent.get(timeout=60)

    def close(self) -> None:
        self._producer.close()
