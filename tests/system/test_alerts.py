"""run-local --observe: Prometheus finds what rules and dashboard ask for, and alerts fire for a cause."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, TopicPartition

from harness.processes import wait_until
from harness.prometheus import Prometheus, QuickPrometheus
from harness.run_local import RunLocal
from harness.simulator import Simulator
from observe.queries import metrics_of, queries

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

_MAX_EVENT_AGE = 60
_RATE = 100


class Observed:
    """A pipeline, its own Prometheus, and one that is quick."""

    def __init__(self, folder: Path, local: RunLocal, simulator: Simulator, quick: QuickPrometheus) -> None:
        self.local = local
        self.simulator = simulator
        self.quick = quick
        self.prometheus = Prometheus(local.ports["PROMETHEUS_PORT"])
        self.data = folder / "state/data"
        self._began = time.time()

    def serve(self, **faults: int) -> None:
        """Let the stream go on, without end; its events are the same whenever it is started again."""
        self.simulator.run(start=self._began, rate=_RATE, events=0, **faults)


def targets(local: RunLocal) -> dict[str, str]:
    ports = {
        "producer": "PRODUCER_METRICS_PORT",
        "consumer": "CONSUMER_METRICS_PORT",
        "kafka": "KAFKA_METRICS_PORT",
    }
    found = {job: f"127.0.0.1:{local.ports[name]}" for job, name in ports.items()}
    return found | {"web": f"127.0.0.1:{local.web_port}"}


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    folder = tmp_path_factory.mktemp("observed")
    with closing(Simulator(folder)) as simulator:
        simulator.run_idle()
        env = {
            "WIKI_STREAM_URL": simulator.url,
            "WEB_ENGINE": "duckdb",
            "MAX_EVENT_AGE": f"{_MAX_EVENT_AGE}s",
        }
        with (
            closing(RunLocal(folder, "--observe", env=env)) as local,
            closing(QuickPrometheus(folder / "quick", targets(local))) as quick,
        ):
            local.wait_for_line("reading live")
            found = Observed(folder, local, simulator, quick)
            found.serve()
            local.wait_for_line("the page is ready")
            yield found


@pytest.fixture
def calm(observed: Observed) -> Observed:
    """All is well, after whatever a test before has done."""
    observed.serve()
    observed.quick.wait_until_calm()
    return observed


def test_run_locals_own_prometheus_reads_each_service(observed: Observed) -> None:
    expected = {"producer": 1.0, "consumer": 1.0, "web": 1.0, "kafka": 1.0}
    wait_until(
        lambda: observed.prometheus.up() == expected, timeout=90, what="all answer Prometheus", every=0.5
    )


def test_each_metric_that_is_asked_for_is_exposed(observed: Observed) -> None:
    wanted = {name for query in queries() for name in metrics_of(query)}
    try:
        wait_until(lambda: wanted <= observed.quick.names(), timeout=90, what="all are exposed", every=0.5)
    except AssertionError:
        pytest.fail(f"nobody exposes {sorted(wanted - observed.quick.names())}")


def test_each_query_can_be_read(observed: Observed) -> None:
    for query in queries():
        observed.quick.values(query)


# From here on each test makes a cause. The last three fire on for long.


def test_a_stream_without_events(calm: Observed) -> None:
    calm.simulator.run_idle()
    calm.quick.wait_until_firing("NoEvent producer")


def test_events_that_cannot_be_read(calm: Observed) -> None:
    calm.serve(malformed_every=20)
    calm.quick.wait_until_firing("RejectsHigh")


@pytest.mark.parametrize("service", ["producer", "web"])
def test_a_service_that_hangs(calm: Observed, service: str) -> None:
    with calm.local.suspended(f"wiki_{service}"):
        calm.quick.wait_until_firing(f"ServiceDown {service}")


def test_a_broker_that_hangs(calm: Observed) -> None:
    with calm.local.broker_suspended():
        calm.quick.wait_until_firing("BrokerDown kafka", "HeartbeatsStopped producer")


def test_a_folder_where_the_maintenance_expects_none(calm: Observed) -> None:
    unexpected = calm.data / "history/.writing/folder"
    unexpected.mkdir(parents=True)
    calm.quick.wait_until_firing("MaintenanceFailing consumer")
    unexpected.rmdir()


def test_a_consumer_that_is_away_for_longer_than_a_change_may_be_old(calm: Observed) -> None:
    with calm.local.suspended("wiki_consumer"):
        calm.quick.wait_until_firing("ServiceDown consumer", "PageBehind web")
        behind = "time() - wiki_web_as_of_timestamp_seconds"

        def is_older() -> bool:
            return any(value > 1.2 * _MAX_EVENT_AGE for _, value in calm.quick.values(behind))

        wait_until(is_older, timeout=120, what="the page is further behind than MAX_EVENT_AGE", every=0.5)
    calm.quick.wait_until_firing("GapGivenUp consumer")


def test_a_service_that_is_started_again_and_again(observed: Observed) -> None:
    restarts = 'changes(process_start_time_seconds{job="producer"}[15m])'
    for number in range(1, 4):
        observed.local.kill_service("wiki_producer")

        def is_seen(number: int = number) -> bool:
            return any(value >= number for _, value in observed.quick.values(restarts))

        wait_until(is_seen, timeout=60, what=f"{number} restarts are seen", every=0.5)
    observed.quick.wait_until_firing("ServiceRestarting producer")


def test_records_that_are_deleted_before_they_are_read(observed: Observed) -> None:
    quick, servers = observed.quick, f"127.0.0.1:{observed.local.ports['KAFKA_PORT']}"
    offset, end = "wiki_consumer_next_offset", 'kafka_log_logendoffset{topic="wiki-changes"}'
    wait_until(lambda: bool(quick.values(offset)), timeout=60, what="the consumer tells how far it is")
    with observed.local.suspended("wiki_consumer"), KafkaAdminClient(bootstrap_servers=servers) as admin:
        unread = f"{end} > on (topic, partition) last_over_time({offset}[1h])"
        wait_until(lambda: bool(quick.values(unread)), timeout=60, what="the topic goes on", every=0.5)
        [(_, deleted)] = quick.values(end)
        admin.delete_records({TopicPartition("wiki-changes", 0): int(deleted)})
        quick.wait_until_firing("RecordsLost")
