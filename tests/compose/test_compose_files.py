"""Each Compose file is valid, hardened, and passes only what the services know."""

import json
import os
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import local_stack.settings
import stream_simulator.settings
import wiki_consumer.settings
import wiki_producer.settings
import wiki_web.settings
from compose.files import COMPOSE_FILES, ROOT, load

BASE = load(ROOT / "compose.yaml")["services"]
MSK = load(ROOT / "compose.msk.yaml")["services"]
S3 = load(ROOT / "compose.s3.yaml")["services"]
OBSERVE = load(ROOT / "compose.observe.yaml")
CLUSTER = load(ROOT / "compose.cluster.yaml")
NODES = ("spark-master", "spark-worker")
OURS = ("topic-init", "producer", "spark-consumer", "web", "simulator", *NODES)

_CONSUMER = {name.upper() for name in wiki_consumer.settings.Settings.model_fields}
_PRODUCER = {name.upper() for name in wiki_producer.settings.Settings.model_fields}
KNOWN = {
    "topic-init": _PRODUCER,
    "producer": _PRODUCER,
    **dict.fromkeys(("spark-consumer", *NODES), _CONSUMER),
    "web": {name.upper() for name in wiki_web.settings.Settings.model_fields},
    "simulator": {
        str(field.validation_alias or f"SIMULATOR_{name}").upper()
        for name, field in stream_simulator.settings.Settings.model_fields.items()
    },
}
# Read by the AWS libraries themselves.
AWS_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_PROFILE",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
}
# Read by Spark itself.
SPARKS_OWN = {"SPARK_LOCAL_HOSTNAME", "SPARK_WORKER_CORES", "SPARK_WORKER_MEMORY"}
# The same in every container: paths and ports of the image. A password comes as a file.
FIXED_IN_THE_IMAGE = {
    "BIND_ADDRESS",
    "METRICS_PORT",
    "SPARK_JARS_DIR",
    "WEB_PORT",
    "KAFKA_SASL_PASSWORD",
}

docker_compose = pytest.mark.skipif(
    shutil.which("docker") is None
    or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0,
    reason="there is no docker compose here",
)


@pytest.mark.parametrize("path", COMPOSE_FILES, ids=lambda path: path.name)
def test_a_file_follows_the_compose_specification(path: Path) -> None:
    vendored = files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json"
    schema = json.loads(vendored.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(load(path))


@pytest.mark.parametrize("service", OURS)
@pytest.mark.parametrize("path", COMPOSE_FILES, ids=lambda path: path.name)
def test_a_variable_that_is_passed_is_one_that_the_service_knows(path: Path, service: str) -> None:
    passed = set(load(path)["services"].get(service, {}).get("environment", {}))

    assert passed - KNOWN[service] - AWS_CREDENTIALS - SPARKS_OWN == set()


@pytest.mark.parametrize("service", ["producer", "spark-consumer", "web"])
def test_a_setting_in_the_environment_reaches_its_service(service: str) -> None:
    passed = set(BASE[service]["environment"]) | set(MSK.get(service, {}).get("environment", {}))
    passed |= set(S3.get(service, {}).get("environment", {}))
    passed |= set(CLUSTER["services"].get(service, {}).get("environment", {}))
    if service == "producer":
        passed |= set(BASE["topic-init"]["environment"])

    assert KNOWN[service] - FIXED_IN_THE_IMAGE - passed == set()


def test_what_the_example_of_an_env_file_lists_for_compose_is_read_by_it() -> None:
    """A line that is set and changes nothing would be passed over in silence."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^# --- (.+?) -+\n(.*?)(?=^# --- |\Z)", text, re.MULTILINE | re.DOTALL))
    of_others = {title for title in sections if re.match("Only run-local|Not with Docker Compose", title)}
    assert len(of_others) == 2
    listed = {
        name
        for title in sections.keys() - of_others
        for name in re.findall(r"^#([A-Z_]+)=", sections[title], re.MULTILINE)
    }
    read = "".join(file.read_text(encoding="utf-8") for file in ROOT.glob("compose*.yaml"))
    unread = {name for name in listed if not re.search(rf"^ +{name}:|\${{{name}\b", read, re.MULTILINE)}
    # Compose's own, and what stands there to be told from the file.
    assert unread == {"COMPOSE_FILE", "KAFKA_SASL_PASSWORD"}


@pytest.mark.parametrize("service", [*BASE, "prometheus", "alertmanager", "grafana", *NODES])
def test_a_container_is_hardened(service: str) -> None:
    config = {**CLUSTER["services"], **OBSERVE["services"], **BASE}[service]

    assert config["read_only"] is True
    assert config["cap_drop"] == ["ALL"]
    assert config["security_opt"] == ["no-new-privileges:true"]
    assert config["init"] is True
    assert config["logging"]["options"].keys() == {"max-size", "max-file"}
    assert "mem_limit" in config
    assert "user" not in config, "the image's own user is not root"
    assert config["restart"] == ("no" if service == "topic-init" else "unless-stopped")


def test_only_the_page_is_published_and_on_loopback_unless_asked() -> None:
    published = {name: config["ports"] for name, config in BASE.items() if "ports" in config}

    assert published == {"web": ["${PUBLISH_ADDRESS:-127.0.0.1}:${WEB_PORT:-5000}:5000"]}


def test_what_observes_is_published_on_loopback_alone_and_pinned() -> None:
    """Whoever reaches it needs no login."""
    others = {name: config for name, config in OBSERVE["services"].items() if name != "kafka"}
    ports = [port for config in others.values() for port in config["ports"]]

    assert [port.split(":", 1)[0] for port in ports] == ["127.0.0.1"] * len(others)
    assert all(re.search(r":v?\d+\.\d+\.\d+$", config["image"]) for config in others.values())
    assert "ports" not in OBSERVE["services"]["kafka"]


@pytest.mark.parametrize("others", [OBSERVE, CLUSTER], ids=["observe", "cluster"])
def test_what_is_added_is_started_as_the_rest_is(others: dict[str, Any]) -> None:
    for part in ("x-hardened", "x-healthcheck"):
        assert others[part] == load(ROOT / "compose.yaml")[part]


def test_a_cluster_publishes_nothing_and_shares_a_secret_from_a_file() -> None:
    services = CLUSTER["services"]
    sparks = {name: config for name, config in services.items() if "SPARK_MASTER" in config["environment"]}

    assert sparks.keys() == {"spark-consumer", "web", *NODES}
    assert not any("ports" in config for config in services.values())
    [secret] = CLUSTER["secrets"]
    for config in sparks.values():
        assert config["secrets"] == [secret]
        assert config["environment"]["SPARK_AUTHENTICATE_SECRET_FILE"] == f"/run/secrets/{secret}"
    assert CLUSTER["secrets"][secret]["file"].startswith("${SPARK_AUTHENTICATE_SECRET_FILE:?")


def test_the_clusters_nodes_are_of_the_consumers_image_and_see_its_volume() -> None:
    """The state is written by the workers."""
    consumer = BASE["spark-consumer"]

    assert {CLUSTER["services"][node]["image"] for node in NODES} == {consumer["image"]}
    assert CLUSTER["services"]["spark-worker"]["volumes"] == consumer["volumes"]
    assert CLUSTER["services"]["spark-worker"]["tmpfs"] == consumer["tmpfs"]


def test_each_job_of_prometheus_is_one_that_run_local_has(monkeypatch: pytest.MonkeyPatch) -> None:
    written = yaml.safe_load((ROOT / "services/observe/prometheus.yaml").read_text(encoding="utf-8"))
    jobs = {job["job_name"]: job["static_configs"][0]["targets"] for job in written["scrape_configs"]}

    assert jobs.keys() == local_stack.settings.read_settings(simulate=True, observe=True).metrics.keys()
    services = {target.partition(":")[0] for [target] in jobs.values()}
    networks = OBSERVE["services"]["prometheus"]["networks"]
    assert all(set(BASE[service]["networks"]) & set(networks) for service in services)


def test_the_page_can_only_read_the_changes() -> None:
    assert BASE["web"]["volumes"] == ["changes:/data:ro"]


def test_the_limits_fit_a_machine_with_4_gb() -> None:
    running = [
        config["mem_limit"] for name, config in BASE.items() if name not in ("topic-init", "simulator")
    ]

    assert sum(int(limit.removesuffix("m")) for limit in running) <= 3.9 * 1024


def test_the_engine_of_the_page_is_the_same_in_the_image_and_at_run_time() -> None:
    web = BASE["web"]

    assert web["build"]["args"]["WEB_ENGINE"] == web["environment"]["WEB_ENGINE"] == "${WEB_ENGINE:-spark}"
    assert web["image"].endswith(":${WEB_ENGINE:-spark}")


def test_no_password_is_in_a_containers_environment() -> None:
    for file in COMPOSE_FILES:
        for config in load(file)["services"].values():
            for name in config.get("environment", {}):
                assert not re.search(r"PASSWORD(?!_FILE)", name), f"{file.name}: {name}"


def _compose(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    # No variable of this machine, and no .env of this checkout.
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        ["docker", "compose", "--env-file", os.devnull, *arguments],
        cwd=ROOT,
        env=clean | (env or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@docker_compose
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--profile", "*"],
        ["-f", "compose.yaml", "-f", "compose.demo.yaml"],
        ["-f", "compose.yaml", "-f", "compose.demo.yaml", "-f", "tests/compose/compose.ledger.yaml"],
        ["-f", "compose.yaml", "-f", "compose.msk.yaml"],
        ["-f", "compose.yaml", "-f", "compose.s3.yaml"],
        ["-f", "compose.yaml", "-f", "compose.msk.yaml", "-f", "compose.demo.yaml"],
        ["-f", "compose.yaml", "-f", "compose.observe.yaml"],
        ["-f", "compose.yaml", "-f", "compose.demo.yaml", "-f", "compose.observe.yaml"],
        ["-f", "compose.yaml", "-f", "compose.observe.yaml", "-f", "compose.msk.yaml"],
        ["-f", "compose.yaml", "-f", "compose.cluster.yaml"],
        ["-f", "compose.yaml", "-f", "compose.demo.yaml", "-f", "compose.cluster.yaml"],
        ["-f", "compose.yaml", "-f", "compose.cluster.yaml", "-f", "compose.observe.yaml"],
        ["-f", "compose.yaml", "-f", "compose.s3.yaml", "-f", "compose.cluster.yaml"],
    ],
    ids=" ".join,
)
def test_compose_takes_the_files_without_a_word(arguments: list[str]) -> None:
    needed = {
        "KAFKA_BOOTSTRAP_SERVERS": "broker.example:9092",
        "SPARK_AUTHENTICATE_SECRET_FILE": "/etc/spark-secret",
        "DATA_DIR": "s3://bucket/prefix",
    }
    done = _compose(*arguments, "config", "-q", env=needed)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@docker_compose
def test_a_cluster_needs_its_address() -> None:
    done = _compose("-f", "compose.yaml", "-f", "compose.msk.yaml", "up", "--no-start")

    assert done.returncode != 0
    assert "KAFKA_BOOTSTRAP_SERVERS" in done.stderr
    assert "host:port" in done.stderr


@docker_compose
def test_a_spark_cluster_needs_its_secret() -> None:
    done = _compose("-f", "compose.yaml", "-f", "compose.cluster.yaml", "up", "--no-start")

    assert done.returncode != 0
    assert "SPARK_AUTHENTICATE_SECRET_FILE" in done.stderr


@docker_compose
def test_on_a_spark_cluster_the_page_stays_on_its_network_and_is_reached_by_workers() -> None:
    done = _compose(
        "-f", "compose.yaml", "-f", "compose.cluster.yaml", "config",
        env={"SPARK_AUTHENTICATE_SECRET_FILE": "/etc/spark-secret"},
    )  # fmt: skip

    services: Any = yaml.safe_load(done.stdout)["services"]
    web = services["web"]
    assert web["networks"].keys() == {"page", "broker"}
    assert web["environment"]["SPARK_LOCAL_HOSTNAME"] in web["networks"]["broker"]["aliases"]
    assert services["spark-worker"]["networks"].keys() == {"broker"}
    assert services["topic-init"]["environment"]["KAFKA_TOPIC_PARTITIONS"] == "12"


@docker_compose
def test_with_a_cluster_there_is_no_broker_of_our_own() -> None:
    done = _compose(
        "-f", "compose.yaml", "-f", "compose.msk.yaml", "config", "--services",
        env={"KAFKA_BOOTSTRAP_SERVERS": "broker.example:9092"},
    )  # fmt: skip

    assert set(done.stdout.split()) == {"topic-init", "producer", "spark-consumer", "web"}


@docker_compose
def test_a_cluster_can_be_observed_and_has_no_broker_of_our_own() -> None:
    done = _compose(
        "-f", "compose.yaml", "-f", "compose.observe.yaml", "-f", "compose.msk.yaml", "config", "--services",
        env={"KAFKA_BOOTSTRAP_SERVERS": "broker.example:9092"},
    )  # fmt: skip

    observing = {"prometheus", "alertmanager", "grafana"}
    assert set(done.stdout.split()) == {"topic-init", "producer", "spark-consumer", "web"} | observing


@docker_compose
def test_the_observed_broker_is_the_other_one_with_an_agent() -> None:
    done = _compose("-f", "compose.yaml", "-f", "compose.observe.yaml", "config")

    kafka: Any = yaml.safe_load(done.stdout)["services"]["kafka"]
    assert kafka["read_only"] is True
    assert kafka["environment"]["KAFKA_ZOOKEEPER_CONNECT"] == "zookeeper:2181"
    assert kafka["environment"]["KAFKA_OPTS"].startswith("-javaagent:/opt/broker-metrics/")
    assert kafka["build"]["args"]["CONFLUENT_VERSION"] in BASE["kafka"]["image"]


@docker_compose
def test_who_is_told_of_alerts_is_in_a_file_that_can_be_named() -> None:
    files = []
    for named in ({}, {"ALERTMANAGER_CONFIG": "/etc/wiki/alerts.yaml"}):
        done = _compose("-f", "compose.yaml", "-f", "compose.observe.yaml", "config", env=named)
        files.append(yaml.safe_load(done.stdout)["configs"]["alertmanager"]["file"])

    assert files == [str(ROOT / "services/observe/alertmanager.yaml"), "/etc/wiki/alerts.yaml"]


@docker_compose
def test_what_an_env_file_says_reaches_the_service(tmp_path: Path) -> None:
    (tmp_path / "settings").write_text("WIKI_DOMAINS=de.wikipedia.org\nWEB_PORT=5055\n")

    done = _compose("--env-file", str(tmp_path / "settings"), "config")

    services: Any = yaml.safe_load(done.stdout)["services"]
    assert services["producer"]["environment"]["WIKI_DOMAINS"] == "de.wikipedia.org"
    assert services["web"]["ports"][0]["published"] == "5055"
