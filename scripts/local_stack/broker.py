"""ZooKeeper and a Kafka broker from the jars in .local/kafka: their property files and command lines."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_stack.java_properties import properties_text

ROOT = Path(__file__).resolve().parents[2]
LIBS = ROOT / ".local/kafka/libs"
LOG4J = ROOT / "scripts/broker/log4j.properties"
# In another locale Java can't open files whose path has characters beyond ASCII.
UTF_8 = {"LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Command:
    """A process to start: its argument vector and the variables that it needs beyond the inherited ones."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


def _java(
    main: str,
    properties: Path,
    *,
    heap: str,
    classpath: Sequence[Path] = (),
    java_options: Sequence[str] = (),
) -> Command:
    # The first compiler alone: the start takes a third less processor time, and peak rates are not needed.
    tuning = (f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
    options = (*tuning, f"-Dlog4j.configuration={LOG4J.as_uri()}", *java_options)
    jars = os.pathsep.join((f"{LIBS}/*", *map(str, classpath)))
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else "java"
    command = (java, *options, "-cp", jars, main, f"./{properties.name}")
    # Started in its folder, so that no property holds a path: Kafka takes a comma in one for two folders.
    return Command(("/bin/sh", "-c", 'cd "$0" && exec "$@"', str(properties.parent), *command), UTF_8)


def _write(path: Path, values: Mapping[str, str | int | Path]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(properties_text(values), encoding="ascii")
    return path


def zookeeper(folder: Path, *, port: int) -> Command:
    """ZooKeeper on 127.0.0.1:`port` with its data below `folder`."""
    values: dict[str, str | int | Path] = {
        "dataDir": "./zookeeper",
        "clientPort": port,
        "clientPortAddress": "127.0.0.1",
        "admin.enableServer": "false",
        "tickTime": 2000,
        "4lw.commands.whitelist": "ruok,srvr",
    }
    properties = _write(folder / "zookeeper.properties", values)
    return _java("org.apache.zookeeper.server.quorum.QuorumPeerMain", properties, heap="256m")


def kafka(
    folder: Path,
    *,
    port: int,
    zookeeper_port: int,
    extra: Mapping[str, str | int | Path],
    classpath: Sequence[Path] = (),
    java_options: Sequence[str] = (),
) -> Command:
    """One broker, PLAINTEXT on 127.0.0.1:`port`; `extra` adds or overrides broker properties.

    `classpath` has the classes that those properties name, `java_options` are its JVM's.

    Internal topics have one replica, and topics are made only when asked for (topic-init's job).
    """
    values: dict[str, str | int | Path] = {
        "broker.id": 0,
        "listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "zookeeper.connect": f"127.0.0.1:{zookeeper_port}",
        # A broker that was killed finds its own ephemeral node until the session ends; keep that short.
        "zookeeper.session.timeout.ms": 6000,
        "log.dirs": "./kafka",
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        **extra,
    }
    properties = _write(folder / "kafka.properties", values)
    return _java("kafka.Kafka", properties, heap="512m", classpath=classpath, java_options=java_options)
