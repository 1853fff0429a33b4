"""What master, workers and drivers of a cluster are told; tests/system/test_cluster.py runs them."""

import os
import sys
from pathlib import Path

import pytest

from harness.processes import Process
from wiki_common.spark import SECRET_VARIABLE
from wiki_consumer.cluster import environment
from wiki_consumer.query.session import state_partitions
from wiki_consumer.settings import Settings

MASTER = "spark://spark-master:7077"
SECRET = "s3cret-of-the-test"


@pytest.fixture
def secret_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(SECRET_VARIABLE, "of before")  # so that it is what it was after the test
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("role", ["master", "worker"])
def test_without_an_address_there_is_no_cluster(tmp_path: Path, role: str) -> None:
    process = Process(
        (sys.executable, "-m", "wiki_consumer.cluster", role),
        log=tmp_path / "log",
        env={"SPARK_MASTER": "local[*]"},
    )
    assert process.wait(60) == 2
    assert process.output() == "SPARK_MASTER=local[*]: expected spark://host:port\n"


def test_a_driver_on_this_machine_is_told_nothing_of_a_cluster(secret_file: Path) -> None:
    for master in ("local[*]", "local", "local-cluster[2,1,1024]"):
        settings = Settings(spark_master=master, spark_authenticate_secret_file=secret_file)
        assert settings.cluster_config() == {}
        assert os.environ[SECRET_VARIABLE] == "of before"


def test_a_drivers_secret_is_in_the_environment_alone(secret_file: Path) -> None:
    settings = Settings(spark_master=MASTER, spark_cores_max=7, spark_authenticate_secret_file=secret_file)
    config = settings.cluster_config()
    assert (config["spark.cores.max"], config["spark.authenticate"]) == ("7", "true")
    assert SECRET not in str(config) + repr(settings)
    assert os.environ[SECRET_VARIABLE] == SECRET


def test_a_workers_secret_is_on_no_command_line(secret_file: Path) -> None:
    settings = Settings(spark_master=MASTER, spark_authenticate_secret_file=secret_file)
    told = environment(settings, {"SPARK_WORKER_DIR": "/elsewhere"})
    assert told.pop(SECRET_VARIABLE) == SECRET
    assert SECRET not in str(told)
    assert told["SPARK_WORKER_DIR"] == "/elsewhere"
    assert "-Dspark.authenticate=true" in told["SPARK_DAEMON_JAVA_OPTS"]


def test_a_cluster_without_a_secret_authenticates_nobody() -> None:
    settings = Settings(spark_master=MASTER)
    assert "spark.authenticate" not in settings.cluster_config()
    assert "authenticate" not in environment(settings, {})["SPARK_DAEMON_JAVA_OPTS"]


@pytest.mark.parametrize(
    ("master", "parts"), [("local", 1), ("local[*]", 1), ("local[8]", 1), (MASTER, 7), ("yarn", 7)]
)
def test_the_state_has_a_part_for_each_core_of_a_cluster(master: str, parts: int) -> None:
    assert state_partitions(master, 7) == parts
