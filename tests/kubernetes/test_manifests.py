"""Kubernetes takes the manifests, and they say the same as compose.yaml: there is no cluster here to ask."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml

import wiki_consumer.settings
import wiki_producer.settings
import wiki_web.settings
from compose.files import ROOT, load
from wiki_common import VERSION
from wiki_common.settings import ServiceSettings

FOLDER: Final = ROOT / "kubernetes"
# The oldest release that still gets corrections, and the newest that the schemas have.
RELEASES: Final = ("1.34", kubernetes_validate.latest_version())
COMPOSE: Final = load(ROOT / "compose.yaml")["services"]
SETTINGS: Final[dict[str, type[ServiceSettings]]] = {
    "producer": wiki_producer.settings.Settings,
    "topic-init": wiki_producer.settings.Settings,
    "spark-consumer": wiki_consumer.settings.Settings,
    "web": wiki_web.settings.Settings,
}

Manifest = dict[str, Any]
KUSTOMIZATION: Final[Manifest] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))


def documents(path: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


ALL: Final = [
    (path.name, document)
    for path in sorted(FOLDER.glob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in documents(path)
]
PODS: Final = {
    document["metadata"]["name"]: document["spec"]["template"]
    for _, document in ALL
    if document["kind"] in ("Deployment", "StatefulSet")
}


def containers() -> Iterator[tuple[str, Manifest]]:
    for pod in PODS.values():
        for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
            yield container["name"], container


CONTAINERS: Final = dict(containers())
of_each_container = pytest.mark.parametrize("name", CONTAINERS)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    "manifest", [document for _, document in ALL], ids=lambda one: f"{one['kind']}-{one['metadata']['name']}"
)
def test_a_manifest_has_what_its_kind_may_have(manifest: Manifest, release: str) -> None:
    kubernetes_validate.validate(manifest, release, strict=True)


def test_a_word_that_kubernetes_does_not_know_is_refused() -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "dat": {}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, RELEASES[0], strict=True)


def test_each_file_is_applied() -> None:
    assert {*KUSTOMIZATION["resources"]} == {name for name, _ in ALL}


def test_our_images_are_of_this_version() -> None:
    tags = {image["name"]: image["newTag"] for image in KUSTOMIZATION["images"]}
    ours = {c["image"] for c in CONTAINERS.values() if c["image"].startswith("wiki-live-top/")}

    assert tags == {name: "duckdb" if name.endswith("/web") else VERSION for name in ours}
    documented = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    assert re.findall(r"wiki-live-top/\$part:(\S+)", documented) == [VERSION]


@of_each_container
def test_a_container_is_what_it_is_in_compose(name: str) -> None:
    container, compose = CONTAINERS[name], COMPOSE[name]

    image = re.sub(
        r"\$\{[A-Z_]+:-(.+)\}$", r"\1", compose["image"].replace("${CONFLUENT_VERSION:-7.9.1}", "7.9.1")
    )
    assert container["image"] == image.removesuffix(":${WEB_ENGINE:-spark}").replace("web:spark", "web")
    assert container["resources"]["limits"]["memory"] == compose["mem_limit"].replace("m", "Mi")
    assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    written = {tmpfs.split(":")[0] for tmpfs in compose["tmpfs"]}
    kept = {volume.split(":")[1] for volume in compose.get("volumes", ())}
    assert mounted == written | kept


@pytest.mark.parametrize("name", ["zookeeper", "kafka"])
def test_the_broker_has_the_settings_that_it_has_in_compose(name: str) -> None:
    given = {variable["name"]: variable["value"] for variable in CONTAINERS[name]["env"]}

    assert given == {key: str(value) for key, value in COMPOSE[name]["environment"].items()}
    command = [part.replace("$$", "$") for part in COMPOSE[name].get("command", ())]
    assert CONTAINERS[name].get("command", []) == command


def test_topic_init_runs_what_it_runs_in_compose() -> None:
    assert CONTAINERS["topic-init"]["command"] == COMPOSE["topic-init"]["entrypoint"]


@of_each_container
def test_a_container_is_hardened(name: str) -> None:
    assert CONTAINERS[name]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_nobody_and_gets_nothing_from_kubernetes(name: str) -> None:
    spec = PODS[name]["spec"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == (1000 if name in ("zookeeper", "kafka") else 10001)
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    # WEB_PORT=tcp://… for a service named web would be a wrong setting.
    assert spec["enableServiceLinks"] is False
    assert spec["automountServiceAccountToken"] is False


def test_the_settings_are_ones_that_a_service_knows_and_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    [given] = [document["data"] for _, document in ALL if document["kind"] == "ConfigMap"]
    known = {field.upper() for settings in SETTINGS.values() for field in settings.model_fields}

    assert given.keys() <= known
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    for settings in SETTINGS.values():
        settings()


def test_only_the_page_is_reached_from_outside_and_only_the_producer_goes_out() -> None:
    """A rule without a peer is one for everybody."""
    policies = {d["metadata"]["name"]: d["spec"] for _, d in ALL if d["kind"] == "NetworkPolicy"}

    [everything] = [name for name, spec in policies.items() if spec["podSelector"] == {}]
    assert policies[everything]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policies[everything]
    assert open_to_all(policies, "ingress", "from") == {"web": {5000}}
    assert open_to_all(policies, "egress", "to") == {everything: {53}, "producer-to-the-stream": {443}}


def open_to_all(policies: dict[str, Manifest], direction: str, peers: str) -> dict[str, set[int]]:
    rules = ((name, rule) for name, spec in policies.items() for rule in spec.get(direction, ()))
    return {name: {port["port"] for port in rule["ports"]} for name, rule in rules if peers not in rule}


def test_there_is_one_producer_and_one_consumer_and_the_page_can_only_read() -> None:
    replicas = {
        d["metadata"]["name"]: d["spec"]["replicas"] for _, d in ALL if "replicas" in d.get("spec", {})
    }

    assert replicas == {"zookeeper": 1, "kafka": 1, "producer": 1, "spark-consumer": 1, "web": 2}
    assert {mount["mountPath"]: mount.get("readOnly") for mount in CONTAINERS["web"]["volumeMounts"]}[
        "/data"
    ] is True


@pytest.mark.parametrize("name", PODS)
def test_what_selects_a_pod_finds_it(name: str) -> None:
    labels = PODS[name]["metadata"]["labels"]
    services = {d["metadata"]["name"]: d for _, d in ALL if d["kind"] == "Service"}
    [workload] = [d for _, d in ALL if "template" in d.get("spec", {}) and d["metadata"]["name"] == name]

    assert workload["spec"]["selector"]["matchLabels"] == labels
    if name in services:
        assert services[name]["spec"]["selector"] == labels
        ports = {port["name"]: port["containerPort"] for port in CONTAINERS[name]["ports"]}
        for port in services[name]["spec"]["ports"]:
            assert port.get("targetPort", port["port"]) in (*ports, *ports.values())
