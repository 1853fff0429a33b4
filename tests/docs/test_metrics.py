"""docs/operations.md has every metric that the services expose, with its unit, and no other."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from email.utils import formatdate
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from consumer.running import Consumer
from docs.pages import ROOT, table_rows
from harness.processes import accepts, free_port, wait_until
from producer.events import sse_id
from wiki_producer.kafka.in_flight import InFlight
from wiki_producer.status.counts import Counts
from wiki_producer.status.freshness import Freshness
from wiki_producer.status.metrics import registry_of
from wiki_producer.stream.clock import StreamClock
from wiki_producer.stream.progress import Progress
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.http.app import create_app
from wiki_web.settings import Settings

PAGE = ROOT / "docs/operations.md"
HEADINGS = {
    "producer": "### Metrics of the producer",
    "consumer": "### Metrics of the consumer",
    "web": "### Metrics of the page",
}
UNITS = {"seconds", "bytes"}


def names(service: str, exposed: str) -> list[str]:
    """Ours, with `_total` where one counts; a histogram without `_bucket`, and none of when one began."""
    found = (
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(exposed)
    )
    return sorted(
        name for name in found if name.startswith(f"wiki_{service}_") and not name.endswith("_created")
    )


def of_producer() -> str:
    clock = StreamClock()
    clock.answered(formatdate(time.time(), usegmt=True))
    progress = Progress(last_event_id=sse_id(int(time.time() * 1000)))
    registry = registry_of(progress, InFlight(), Counts(), clock, Freshness(time.time))
    return generate_latest(registry).decode()


def of_consumer(folder: Path) -> str:
    """Its status server answers before it has a Spark session, or a broker."""
    with closing(Consumer(folder, f"127.0.0.1:{free_port()}", "wiki-changes")) as consumer:
        consumer.start()
        wait_until(lambda: accepts(consumer.port), timeout=60, what="the consumer's status server")
        return consumer.get("/metrics")


def of_web(folder: Path) -> str:
    engine = DuckDBEngine()
    client = create_app(Settings(data_dir=folder, web_engine="duckdb"), engine).test_client()
    exposed = client.get("/metrics").text
    engine.close()
    return exposed


EXPOSED: Mapping[str, Callable[[Path], str]] = {
    "producer": lambda _: of_producer(),
    "consumer": of_consumer,
    "web": of_web,
}


def rows(service: str) -> Iterator[tuple[str, str]]:
    """The metrics and units of a service's table; a cell may have several metrics."""
    for cells in table_rows(PAGE, HEADINGS[service]):
        for name in cells[0].split(", "):
            yield name.strip("`"), cells[1]


@pytest.mark.parametrize("service", HEADINGS)
def test_the_table_has_what_the_service_exposes(service: str, tmp_path: Path) -> None:
    exposed = EXPOSED[service](tmp_path)
    assert sorted(name for name, _ in rows(service)) == names(service, exposed)
    prefixes = f"wiki_{service}_", "process_"
    families = [family.name for family in text_string_to_metric_families(exposed)]
    assert [name for name in families if not name.startswith(prefixes)] == [], "each name says whose it is"


@pytest.mark.parametrize("service", HEADINGS)
def test_a_unit_that_is_in_the_name_is_the_unit(service: str) -> None:
    for name, unit in rows(service):
        assert UNITS.intersection(name.split("_")) == UNITS.intersection(unit.split()), name
