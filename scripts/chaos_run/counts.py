"""How often each title was changed, as each place says: topic, volume, page."""

import json
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
from kafka import KafkaConsumer, TopicPartition

from chaos_run.pipeline import PARTITIONS, TOPIC
from chaos_run.stream import Event
from wiki_common.kafka.heartbeat import CANARY_DOMAIN
from wiki_common.volume import Volume
from wiki_web.data.queries import MAX_LIMIT
from wiki_web.data.titles import spelled

Counts = Counter[str]

_TOPIC_PATIENCE: Final = 60.0  # seconds


class Incomplete(Exception):
    """A place can't be asked completely now."""


def differences(stream: Counts, places: Mapping[str, Counts]) -> dict[str, dict[str, int]]:
    """Each title that is counted differently somewhere, with all its counts by place; empty if all agree.

    Titles are compared as the page spells them: MediaWiki's have no marks of direction, the simulator's may.
    """
    everywhere = {place: _spelled(counts) for place, counts in {"stream": stream, **places}.items()}
    titles = sorted(set().union(*everywhere.values()))
    found = {title: {place: counts[title] for place, counts in everywhere.items()} for title in titles}
    return {title: counts for title, counts in found.items() if len(set(counts.values())) > 1}


def _spelled(counts: Counts) -> Counts:
    found: Counts = Counter()
    for title, count in counts.items():
        found[spelled(title)] += count
    return found


def of_stream(events: Iterable[Event]) -> Counts:
    return Counter(event.title for event in events)


def of_topic(bootstrap_servers: str) -> Counts:
    """What the topic holds, each id once: it may have an event twice. Raises KafkaError and Incomplete."""
    titles: dict[str, str] = {}
    partitions = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    with closing(consumer):
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        give_up = time.monotonic() + _TOPIC_PATIENCE
        while any(consumer.position(each) < ends[each] for each in partitions):
            if time.monotonic() > give_up:
                raise Incomplete("the broker gives no records")
            for records in consumer.poll(timeout_ms=1000).values():
                for event in (json.loads(record.value) for record in records):
                    if event["meta"]["domain"] != CANARY_DOMAIN:
                        titles[event["meta"]["id"]] = event["title"]
    return Counter(titles.values())


def of_volume(folder: Path) -> Counts:
    """What a reader of the files counts, each row once: a row that is there twice counts twice.

    Raises duckdb.Error if a file goes meanwhile.
    """
    volume = Volume(folder)
    end = volume.history_end()
    return _rows(volume.history, "TRUE") + _rows(volume.changes, _from(end))


def _from(end: datetime | None) -> str:
    """What the history has is left out."""
    return f"event_time >= TIMESTAMPTZ '{end.isoformat()}'" if end else "TRUE"


def _rows(folder: Path, condition: str) -> Counts:
    if not any(folder.glob("date=*/**/*.parquet")):
        return Counter()
    with closing(duckdb.connect()) as connection:
        # The condition is our own text, and files are given as a value.
        query = (
            f"SELECT title, count(*) FROM read_parquet(?, union_by_name=true) WHERE {condition} GROUP BY ALL"  # noqa: S608
        )
        return Counter(dict(connection.execute(query, [f"{folder}/date=*/**/*.parquet"]).fetchall()))


def of_page(port: int, events: Iterable[Event]) -> Counts:
    """What the page's API counts, asked in parts since it lists MAX_LIMIT titles at most.

    Raises OSError, HTTPException, and Incomplete if the parts aren't all of it.
    """
    counts: Counts = Counter()
    for type_, bot, namespace in sorted({(each.type, each.bot, each.namespace) for each in events}):
        answer = _ask(port, types=type_, bots="only" if bot else "exclude", namespace=namespace)
        rows = answer["titles"]
        if len(rows) < answer["totals"]["titles"]:
            raise Incomplete(f"{type_}, namespace {namespace}: {answer['totals']['titles']} titles")
        counts.update({row["title"]: row["changes"] for row in rows})
    total = _ask(port, types="all")["totals"]["changes"]
    if counts.total() != total:
        raise Incomplete(f"the page counts {total} changes, in parts {counts.total()}")
    return counts


def _ask(port: int, **parameters: str | int) -> Any:
    query = urllib.parse.urlencode({"window": "24h", "limit": MAX_LIMIT, **parameters})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/top?{query}", timeout=60) as answer:
        return json.load(answer)
