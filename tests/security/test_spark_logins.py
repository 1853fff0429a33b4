"""Spark reads a secured topic with every login that works, and names every refusal as the producer does."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from harness.processes import Process
from harness.secure_broker import PASSWORD, SECRET_KEY, USER, SecureBroker
from local_stack.broker import ROOT
from producer.topics import make_topics, settings_for
from security.logins import REFUSED, WORKING, environment

TOPIC = "wiki-consumed"
# Java reads its environment once: the reader gives AWS's credentials to the JVM in another way.
ENVIRONMENT = {**WORKING["iam"].env, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
# However often it is quoted, a part of the password has nothing to quote.
PART = max(re.split(r"""["'\\]""", PASSWORD), key=len)
SECRETS = (PART, SECRET_KEY, "wr0ng-secret", "BEGIN PRIVATE KEY", f'username="{USER}"')
VALUES = [f"value {number}" for number in range(5)]
JARS = ROOT / ".local/spark-jars"
# A Spark session and some twenty queries may take long on a machine that does other things as well.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def event_log(folder: Path) -> str:
    """Arguments of spark-submit that make Spark write all that its UI shows to `folder`."""
    values = {"enabled": "true", "dir": folder.as_uri(), "compress": "false", "rolling.enabled": "false"}
    options = " ".join(f"--conf spark.eventLog.{name}={value}" for name, value in values.items())
    return f"{options} pyspark-shell"


@pytest.fixture(scope="module")
def answers(secure_broker: SecureBroker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Spark read or was told with each login, by name."""
    servers = secure_broker.servers("plaintext")
    for topic in (TOPIC, "wiki-changes"):
        make_topics(settings_for(servers, topic))
    producer = KafkaProducer(bootstrap_servers=servers)
    for value in VALUES:
        producer.send(TOPIC, value.encode()).get(timeout=30)
    producer.close()

    folder = tmp_path_factory.mktemp("spark")
    events = folder / "events"
    events.mkdir()
    logins = {name: environment(secure_broker, login, TOPIC) for name, login in WORKING.items()}
    logins |= {name: environment(secure_broker, login) for name, login in REFUSED.items()}
    file = folder / "logins.json"
    file.write_text(json.dumps(logins), encoding="utf-8")
    folders = ("services/common", "services/spark-consumer", "tests")
    path = os.pathsep.join(str(ROOT / folder) for folder in folders)
    reader = Process(
        (sys.executable, "-m", "security.spark_reader", str(JARS), str(file)),
        log=folder / "spark.log",
        env={"PYTHONPATH": path, **ENVIRONMENT, "PYSPARK_SUBMIT_ARGS": event_log(events)},
    )
    try:
        assert reader.wait(840) == 0, reader.output()[-3000:]
    finally:
        reader.kill()
    lines = [line.partition("answer ")[2] for line in reader.output().splitlines() if "answer {" in line]
    files = [file.read_text("utf-8") for file in events.rglob("*") if file.is_file()]
    return {"log": reader.output(), "events": "".join(files)} | {
        each["name"]: each for each in map(json.loads, lines)
    }


@pytest.mark.parametrize("name", WORKING)
def test_spark_reads_the_topic(answers: dict[str, Any], name: str) -> None:
    assert answers[name].get("values") == VALUES, answers[name]


@pytest.mark.parametrize("name", REFUSED)
def test_spark_is_refused_with_the_same_line(answers: dict[str, Any], name: str) -> None:
    says = REFUSED[name].says
    assert says is not None
    assert says in (answers[name]["refusal"] or ""), answers[name]


def test_no_secret_is_in_spark_s_plans_logs_and_event_log(answers: dict[str, Any]) -> None:
    plans = {name: answers[name]["plan"] for name in WORKING}
    assert all("subscribe" in plan for plan in plans.values())
    # What Spark's UI shows is made of the events in this log.
    assert TOPIC in answers["events"]
    assert "SparkListenerEnvironmentUpdate" in answers["events"]
    for where, text in {"log": answers["log"], "event log": answers["events"], **plans}.items():
        for secret in SECRETS:
            assert secret not in text, where
