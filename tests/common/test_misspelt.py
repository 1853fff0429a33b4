"""A variable that is almost a setting is told, and no other."""

from pathlib import Path

import pytest

import local_stack.settings
import stream_simulator.settings
import wiki_consumer.settings
import wiki_producer.settings
import wiki_web.settings
from common.commands import CONSUMER, PRODUCER, WEB, Command
from harness.doctor import doctor
from harness.processes import free_port, wait_until
from wiki_common.misspelt import misspelt

ALL = (
    wiki_producer.settings.Settings,
    wiki_consumer.settings.Settings,
    wiki_web.settings.Settings,
    local_stack.settings.Settings,
    stream_simulator.settings.Settings,
)
# Of shells, Java, Hadoop, Spark, Kafka, proxies, the AWS libraries, XDG, Kubernetes and Docker.
ORDINARY = """
    PATH HOME LANG LC_ALL PWD SHLVL TERM USER LOGNAME MAIL EDITOR HOSTNAME TMPDIR DISPLAY TZ _
    JAVA_HOME JAVA_OPTS JAVA_TOOL_OPTIONS HADOOP_HOME HADOOP_CONF_DIR YARN_CONF_DIR PYTHONPATH VIRTUAL_ENV
    SPARK_HOME SPARK_CONF_DIR SPARK_LOCAL_DIRS SPARK_LOCAL_HOSTNAME SPARK_LOG_DIR SPARK_PUBLIC_DNS SPARK_USER
    SPARK_MASTER_HOST SPARK_MASTER_PORT SPARK_WORKER_CORES SPARK_WORKER_PORT SPARK_DRIVER_MEMORY SPARK_JARS
    KAFKA_HOME KAFKA_OPTS KAFKA_HEAP_OPTS KAFKA_LOG_DIRS KAFKA_BROKER_ID KAFKA_SERVICE_PORT KAFKA_CLUSTER_ID
    http_proxy https_proxy no_proxy all_proxy ftp_proxy ALL_PROXY FTP_PROXY RSYNC_PROXY
    AWS_PROFILE AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_STS AWS_CA_BUNDLE
    XDG_DATA_DIRS XDG_DATA_HOME LOG_FILE WEB_CONCURRENCY WEB_SERVICE_PORT WEB_PORT_5000_TCP DOCKER_HOST
    ZOOKEEPER_HOME ZOOKEEPER_SERVICE_PORT PROMETHEUS_SERVICE_PORT STATE_DIRECTORY SIMULATE PORT HOST
"""


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WIKI_DOMAIN", "WIKI_DOMAINS"),
        ("wiki_domain", "WIKI_DOMAINS"),
        ("KAFKA_BOOTSTRAP_SERVER", "KAFKA_BOOTSTRAP_SERVERS"),
        ("DATADIR", "DATA_DIR"),
        ("WEB_PROT", "WEB_PORT"),
        ("SIMULATOR_RATES", "SIMULATOR_RATE"),
        ("LOG_LEVLE", "LOG_LEVEL"),
    ],
)
def test_one_that_is_almost_a_setting_is_told_with_that(name: str, meant: str) -> None:
    assert misspelt([name], *ALL) == [f"{name} is not a setting; is {meant} meant?"]


@pytest.mark.parametrize("settings", ALL)
def test_those_of_other_programs_are_not(settings: type) -> None:
    assert misspelt(ORDINARY.split(), settings) == []


def test_a_name_that_would_break_the_line_is_left_out() -> None:
    assert misspelt(["DATA_DIR\x1b", "DATA_DIR\udcff"], *ALL) == []


@pytest.mark.parametrize(
    ("command", "name", "meant"),
    [
        (PRODUCER, "WIKI_DOMAIN", "WIKI_DOMAINS"),
        (CONSUMER, "TRIGER_INTERVAL", "TRIGGER_INTERVAL"),
        (WEB, "WEB_WINDOWS", "WEB_WINDOW"),
    ],
)
def test_each_service_logs_it_once_at_its_start(
    tmp_path: Path, command: Command, name: str, meant: str
) -> None:
    port, nothing = str(free_port()), str(tmp_path / "nothing")
    env = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "KAFKA_CONNECT_TIMEOUT": "1s", "METRICS_PORT": port}
    env |= {"WEB_PORT": port, "WEB_ENGINE": "duckdb", "DATA_DIR": nothing, "SPARK_JARS_DIR": nothing}
    said = f"{name} is not a setting; is {meant} meant?"
    process = command.start(tmp_path, env | {name: "x"})
    try:
        wait_until(lambda: said in (tmp_path / "stdout").read_text(), timeout=60, what=said)
    finally:
        process.terminate()
        process.wait(60)
    assert (tmp_path / "stdout").read_text().count("not a setting") == 1


def test_the_doctor_notes_it(tmp_path: Path) -> None:
    _, lines = doctor("wiki_web", DATA_DIR=str(tmp_path), WEB_WINDOWS="1h")
    assert "note web settings: WEB_WINDOWS is not a setting; is WEB_WINDOW meant?" in lines
