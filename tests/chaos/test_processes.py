from collections.abc import Sequence

import pytest

from chaos_run.processes import role

PYTHON = "/checkout/.venv/bin/python"
JVM = ("java", "-cp", "jars/*", "org.apache.spark.deploy.SparkSubmit", "--conf")


def command(module: str) -> list[str]:
    return [PYTHON, "-m", module]


@pytest.mark.parametrize(
    ("line", "parent", "expected"),
    [
        (command("wiki_producer"), [], "producer"),
        (command("wiki_producer.topic_init"), [], None),
        (["/usr/bin/env", "METRICS_PORT=9101", *command("wiki_producer")], [], "producer"),
        (command("wiki_consumer"), [], "consumer"),
        ([*JVM, "spark.app.name=wiki-consumer", "pyspark-shell"], command("wiki_consumer"), "consumer-jvm"),
        ([*JVM, "spark.app.name=wiki-web", "pyspark-shell"], command("wiki_web"), "web-jvm"),
        (command("wiki_web"), command("supervisor.supervisord"), "web-master"),
        (command("wiki_web"), command("wiki_web"), "web-worker"),
        (["java", "-cp", "jars/*", "kafka.Kafka", "./kafka.properties"], [], "kafka"),
        (
            ["java", "org.apache.zookeeper.server.quorum.QuorumPeerMain", "./zookeeper.properties"],
            [],
            "zookeeper",
        ),
        (["supervisord"], [], None),
        ([], [], None),
    ],
)
def test_a_process_is_known_by_its_command_and_its_parents(
    line: Sequence[str], parent: Sequence[str], expected: str | None
) -> None:
    assert role(list(line), list(parent)) == expected
