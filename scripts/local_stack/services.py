"""What the stack consists of: each service's command, its variables, and how to see that it is ready."""

import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_stack import broker, observe, readiness
from local_stack.broker import ROOT
from local_stack.settings import Settings

Check = Callable[[], str | None]

TOPIC_INIT = "topic-init"
RESET = "python -m wiki_consumer.checkpoint --reset"
"""How the consumer names the command that begins a new checkpoint."""


@dataclass(frozen=True)
class Service:
    """A process of the stack; what waits for it is started once `ready` returns None instead of a reason."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Check = lambda: None
    one_shot: bool = False
    """Ends by itself; ready when it has ended with exit code 0."""
    first_attempts: int | None = None
    """How often it may fail before it has been ready once; then the run ends. None: as often as it likes."""
    prepared_by: str | None = None
    """The one-shot that runs again before each start of this service but the first."""
    advice: Mapping[str, str] = field(default_factory=dict)
    """What to tell if its log has a certain text when it ends; of a one-shot when it has run again."""
    stop_seconds: int = 8
    group: str = "services"
    stop_order: int = 0
    """Groups of a lower number are stopped, all their processes together, before those of a higher one."""


def stages(settings: Settings, plain_folder: Path) -> list[list[Service]]:
    """The services in the order of their start: a stage begins when all of the one before are ready.

    `plain_folder` has a path without special characters, for links to folders that may have some.
    """
    producer_metrics = {"METRICS_PORT": str(settings.producer_metrics_port)}
    simulator = [_simulator(settings)] if settings.simulate else []
    zookeeper, kafka = (
        ([_zookeeper(settings)], [_kafka(settings, plain_folder)]) if settings.own_broker else ([], [])
    )
    found = [
        [*simulator, *zookeeper],
        kafka,
        [_topic_init()],
        [
            _consumer(settings, plain_folder),
            Service("web", _python("wiki_web")),
            Service("producer", _python("wiki_producer"), producer_metrics, prepared_by=TOPIC_INIT),
            *([_prometheus(settings, plain_folder)] if settings.observe else []),
        ],
    ]
    return [stage for stage in found if stage]


def _topic_init() -> Service:
    return Service(
        TOPIC_INIT,
        _python("wiki_producer.topic_init"),
        one_shot=True,
        advice={
            "topic created": "a topic was gone and has been made again, without the records that it had:"
            " if it is KAFKA_TOPIC, the consumer asks for a new checkpoint"
        },
    )


def _consumer(settings: Settings, plain_folder: Path) -> Service:
    # Spark takes its jars as a list with commas in which each entry is a pattern.
    jars = plain_folder / "spark-jars"
    jars.symlink_to(ROOT / ".local/spark-jars")
    return Service(
        "consumer",
        _python("wiki_consumer"),
        {"METRICS_PORT": str(settings.consumer_metrics_port), "SPARK_JARS_DIR": str(jars)},
        prepared_by=TOPIC_INIT,
        advice={
            RESET: "docs/recovery.md says what a new checkpoint means. To begin one, run this in another"
            " terminal, and again if it finds the consumer running:\n"
            f"  {reset_command(settings)}"
        },
    )


def reset_command(settings: Settings) -> str:
    """RESET for a shell in the checkout."""
    folder = shlex.quote(str(settings.data))
    path = "services/common:services/spark-consumer"
    return f"DATA_DIR={folder} PYTHONPATH={path} .venv/bin/{RESET}"


def _simulator(settings: Settings) -> Service:
    return Service(
        "simulator",
        _python("stream_simulator"),
        {"SIMULATOR_PORT": str(settings.simulator_port)},
        first_attempts=3,
        ready=readiness.listens(settings.host, settings.simulator_port),
    )


def _zookeeper(settings: Settings) -> Service:
    command = broker.zookeeper(settings.state / "broker", port=settings.zookeeper_port)
    return Service(
        "zookeeper",
        command.argv,
        command.env,
        ready=readiness.listens("127.0.0.1", settings.zookeeper_port),
        first_attempts=3,
        stop_seconds=2,
        group="zookeeper",
        stop_order=2,
    )


def _prometheus(settings: Settings, plain_folder: Path) -> Service:
    data = settings.state / "prometheus"
    return Service(
        "prometheus",
        observe.prometheus(
            settings.metrics, address=settings.prometheus, data=data, plain_folder=plain_folder
        ),
    )


def _kafka(settings: Settings, plain_folder: Path) -> Service:
    folder = settings.state / "broker"
    agent = [observe.broker_agent(settings.kafka_metrics, plain_folder)] if settings.observe else []
    command = broker.kafka(
        folder,
        port=settings.kafka_port,
        zookeeper_port=settings.zookeeper_port,
        extra={},
        java_options=agent,
    )
    return Service(
        "kafka",
        command.argv,
        command.env,
        ready=readiness.listens("127.0.0.1", settings.kafka_port),
        # One that was killed refuses to start until ZooKeeper has ended its old session.
        first_attempts=5,
        advice={
            "Invalid cluster.id": "ZooKeeper has lost its data, or has another broker's, and without it the"
            " broker's records are of no use. To go on without them (docs/recovery.md says what is lost):\n"
            f"  {shlex.join(['mv', str(folder / 'kafka'), str(folder / 'kafka.lost')])}"
        },
        stop_seconds=5,
        group="kafka",
        stop_order=1,
    )


def environment(settings: Settings) -> dict[str, str]:
    """The variables that all services share; what the user has set beside them is inherited."""
    return {
        **broker.UTF_8,
        "PYTHONUNBUFFERED": "1",
        "BIND_ADDRESS": settings.bind_address,
        "DATA_DIR": str(settings.data),
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers or f"127.0.0.1:{settings.kafka_port}",
        "SPARK_LOCAL_IP": settings.spark_local_ip,
        "WEB_PORT": str(settings.web_port),
        "WIKI_STREAM_URL": settings.stream_url,
    }


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module)
