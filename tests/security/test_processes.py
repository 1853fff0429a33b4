"""Each service as a process: the whole pipeline over SCRAM and TLS, and what a wrong login ends in."""

import os
import sys
from pathlib import Path

import pytest

from consumer.running import JARS, Consumer, committed_ids
from harness.processes import Process, free_port, wait_until
from harness.secure_broker import PASSWORD, SecureBroker
from harness.simulator import Simulator
from local_stack.broker import ROOT
from producer.topics import TopicReader, make_topics, settings_for
from security.logins import REFUSED, WORKING, Login, environment

pytestmark = pytest.mark.slow

PATH = os.pathsep.join(str(ROOT / "services" / each) for each in ("common", "producer", "spark-consumer"))
TIMEOUT = 240


def start(folder: Path, module: str, broker: SecureBroker, login: Login, topic: str, **env: str) -> Process:
    common = {"PYTHONPATH": PATH, "METRICS_PORT": str(free_port())}
    return Process(
        (sys.executable, "-m", module),
        log=folder / f"{module}.log",
        env=common | environment(broker, login, topic) | env,
    )


@pytest.mark.timeout(600)
def test_the_pipeline_runs_over_scram_and_tls_with_the_password_in_a_file(
    tmp_path: Path, secure_broker: SecureBroker, stream: Simulator
) -> None:
    topic = "wiki-processes"
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n", encoding="utf-8")
    login = WORKING["tls-scram-512"]
    # An empty variable counts as unset.
    secret = {"KAFKA_SASL_PASSWORD": "", "KAFKA_SASL_PASSWORD_FILE": str(password), "LOG_LEVEL": "DEBUG"}
    topic_init = start(tmp_path, "wiki_producer.topic_init", secure_broker, login, topic, **secret)
    assert topic_init.wait(TIMEOUT) == 0, topic_init.output()
    settings = {**environment(secure_broker, login, topic), **secret}
    consumer = Consumer(tmp_path, secure_broker.servers("sasl_tls"), topic, **settings)
    reader = TopicReader(secure_broker.servers("plaintext"), topic)
    consumer.start()
    stream_env = {"WIKI_STREAM_URL": stream.url, "WIKI_DOMAINS": "*"}
    producer = start(tmp_path, "wiki_producer", secure_broker, login, topic, **secret, **stream_env)
    try:
        wait_until(lambda: len(reader.read()) >= 200, timeout=TIMEOUT, what="the topic is filled", every=0.5)
        assert producer.terminate(60) == 0, producer.output()
        published = {record.event_id for record in reader.read() if not record.is_heartbeat}
        consumer.wait_for_ids(published)
        assert committed_ids(consumer.data).total() == len(published)
    finally:
        consumer.close()
        producer.kill()
    for output in (topic_init.output(), producer.output(), consumer.output()):
        assert PASSWORD not in output
        assert repr(PASSWORD)[1:-1] not in output


def check_that_it_ends(ended: Process, login: Login) -> None:
    """With exit code 1 and one line that says why; without a stack trace or a secret."""
    assert login.says is not None
    assert ended.wait(TIMEOUT) == 1, ended.output()
    output = ended.output()
    assert sum(login.says in line for line in output.splitlines()) == 1, output
    assert "Traceback" not in output
    assert "\tat " not in output
    assert "wr0ng-secret" not in output


@pytest.mark.parametrize(
    "module", ["wiki_producer", "wiki_producer.topic_init", "wiki_producer.doctor", "wiki_consumer"]
)
def test_a_wrong_password_ends_the_process(tmp_path: Path, secure_broker: SecureBroker, module: str) -> None:
    login = REFUSED["wrong password, SCRAM"]
    env = {"SPARK_JARS_DIR": str(JARS), "DATA_DIR": str(tmp_path / "data"), "LOG_LEVEL": "DEBUG"}
    env |= {"WIKI_STREAM_URL": "http://127.0.0.1:1/"}
    check_that_it_ends(start(tmp_path, module, secure_broker, login, "wiki-changes", **env), login)


@pytest.mark.parametrize("name", [name for name in REFUSED if "wrong password" not in name])
def test_every_other_refusal_ends_the_consumer(
    tmp_path: Path, secure_broker: SecureBroker, name: str
) -> None:
    make_topics(settings_for(secure_broker.servers("plaintext"), "wiki-changes"))
    env = {"SPARK_JARS_DIR": str(JARS), "DATA_DIR": str(tmp_path / "data")}
    login = REFUSED[name]
    check_that_it_ends(start(tmp_path, "wiki_consumer", secure_broker, login, "wiki-changes", **env), login)
