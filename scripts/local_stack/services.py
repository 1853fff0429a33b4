"""What the stack consists of: each service's command, its variables, and how to see that it is ready."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from local_stack import broker, readiness
from local_stack.broker import ROOT
from local_stack.settings import Settings

Check = Callable[[], str | None]


@dataclass(frozen=True)
class Service:
    """A process of the stack; what waits for it is started once `ready` returns None instead of a reason."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Check = lambda: None
    one_shot: bool = False
    """Ends by itself; ready when it has ended with exit code 0."""
    retries: int = 2
    """How often it is started again when it ends within seconds of its start."""
    stop_seconds: int = 8
    group: str = "services"
    stop_order: int = 0
    """Groups of a lower number are stopped, all their processes together, before those of a higher one."""


def stages(settings: Settings) -> list[list[Service]]:
    """The services in the order of their start: a stage begins when all of the one before are ready."""
    consumer_metrics = {"METRICS_PORT": str(settings.consumer_metrics_port)}
    producer_metrics = {"METRICS_PORT": str(settings.producer_metrics_port)}
    simulator = [_simulator(settings)] if settings.simulate else []
    zookeeper, kafka = ([_zookeeper(settings)], [_kafka(settings)]) if settings.own_broker else ([], [])
    found = [
        [*simulator, *zookeeper],
        kafka,
        [Service("topic-init", _python("wiki_producer.topic_init"), one_shot=True)],
        [
            Service("consumer", _python("wiki_consumer"), consumer_metrics),
            Service("web", _python("wiki_web")),
            Service("producer", _python("wiki_producer"), producer_metrics),
        ],
    ]
    return [stage for stage in found if stage]


def _simulator(settings: Settings) -> Service:
    return Service(
        "simulator",
        _python("stream_simulator"),
        {"SIMULATOR_PORT": str(settings.simulator_port)},
        ready=readiness.listens(settings.host, settings.simulator_port),
    )


def _zookeeper(settings: Settings) -> Service:
    command = broker.zookeeper(settings.state / "broker", port=settings.zookeeper_port)
    return Service(
        "zookeeper",
        command.argv,
        command.env,
        ready=readiness.listens("127.0.0.1", settings.zookeeper_port),
        stop_seconds=2,
        group="zookeeper",
        stop_order=2,
    )


def _kafka(settings: Settings) -> Service:
    folder = settings.state / "broker"
    command = broker.kafka(folder, port=settings.kafka_port, zookeeper_port=settings.zookeeper_port, extra={})
    return Service(
        "kafka",
        command.argv,
        command.env,
        ready=readiness.listens("127.0.0.1", settings.kafka_port),
        # One that was killed refuses to start until ZooKeeper has ended its old session.
        retries=5,
        stop_seconds=5,
        group="kafka",
        stop_order=1,
    )


def environment(settings: Settings) -> dict[str, str]:
    """The variables that all services share; what the user has set beside them is inherited."""
    return {
        "PYTHONUNBUFFERED": "1",
        "BIND_ADDRESS": settings.bind_address,
        "DATA_DIR": str(settings.data),
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers or f"127.0.0.1:{settings.kafka_port}",
        "SPARK_LOCAL_IP": settings.spark_local_ip,
        "SPARK_JARS_DIR": str(ROOT / ".local/spark-jars"),
        "WEB_PORT": str(settings.web_port),
        "WIKI_STREAM_URL": settings.stream_url,
    }


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module)
