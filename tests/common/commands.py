"""Every command of every service, with a setting of its own and a value that is wrong for it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Command:
    """`python -m` something."""

    argv: tuple[str, ...]
    variable: str
    wrong: str
    prefix: str = ""
    """What stands before each line about a setting."""

    def start(self, folder: Path, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Its output goes to `folder`/stdout and `folder`/stderr."""
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "-m", *self.argv],
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )


PRODUCER = Command(("wiki_producer",), "WIKI_STREAM_IDLE_TIMEOUT", "0s")
TOPIC_INIT = Command(("wiki_producer.topic_init",), "KAFKA_CONNECT_TIMEOUT", "60")
CONSUMER = Command(("wiki_consumer",), "TRIGGER_INTERVAL", "0s")
WEB = Command(("wiki_web",), "WEB_WINDOW", "0s")
SIMULATOR = Command(("stream_simulator",), "SIMULATOR_RATE", "0")

COMMANDS = {
    "producer": PRODUCER,
    "producer's health": Command(("wiki_producer.health",), "MAX_EVENT_AGE", "1x"),
    "topic-init": TOPIC_INIT,
    "producer's doctor": Command(
        ("wiki_producer.doctor",), "MAX_EVENT_AGE", "1.5h", "FAIL producer settings: "
    ),
    "consumer": CONSUMER,
    "consumer's health": Command(("wiki_consumer.health",), "MAX_EVENT_AGE", "1x"),
    "consumer's doctor": Command(
        ("wiki_consumer.doctor",), "MAX_EVENT_AGE", "1.5h", "FAIL consumer settings: "
    ),
    "checkpoint": Command(("wiki_consumer.checkpoint",), "MAX_EVENT_AGE", "0m"),
    "maintenance": Command(("wiki_consumer.maintenance", "--once"), "HISTORY_RETENTION", "0d"),
    "spark's master": Command(("wiki_consumer.cluster", "master"), "MAX_EVENT_AGE", "1x"),
    "web": WEB,
    "web's health": Command(("wiki_web.health",), "WEB_MAX_WINDOW", "-1h"),
    "web's doctor": Command(("wiki_web.doctor",), "WEB_MAX_WINDOW", "-1h", "FAIL web settings: "),
    "simulator": SIMULATOR,
    "simulator's health": Command(("stream_simulator.health",), "SIMULATOR_RATE", "0"),
    "run-local": Command(("local_stack", "--simulate"), "TRIGGER_INTERVAL", "0s", "run-local: "),
}
