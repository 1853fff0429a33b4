"""setup and run-local in a checkout whose path every program on the way could misread."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harness.processes import wait_until
from harness.prometheus import Prometheus
from harness.run_local import RunLocal
from local.odd_paths import ODDEST_NAME
from local_stack.broker import ROOT
from observe.queries import alerts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

_JARS = ("kafka/libs", "spark-jars", "broker-metrics")
C_LOCALE = {"LC_ALL": "C", "LANG": "C"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that run, in a folder of the oddest name; the Python packages are linked."""
    folder = tmp_path / ODDEST_NAME
    for name in ("scripts", "services"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "tests").mkdir()
    shutil.copy(ROOT / "tests/requirements.txt", folder / "tests")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.fixture
def linked_jars(checkout: Path) -> None:
    for jars in _JARS:
        # Not a link to the folder: Java and Spark must see the odd path.
        (checkout / ".local" / jars).mkdir(parents=True)
        for file in (ROOT / ".local" / jars).iterdir():
            (checkout / ".local" / jars / file.name).symlink_to(file.resolve())


@pytest.fixture
def run(tmp_path: Path, checkout: Path, linked_jars: None) -> Iterator[RunLocal]:
    # An empty STATE_DIR counts as unset: data goes below the checkout.
    env = {"STATE_DIR": "", **C_LOCALE}
    with closing(RunLocal(tmp_path, "--simulate", "--observe", env=env, checkout=checkout)) as started:
        yield started


def test_everything_runs_in_a_folder_of_any_name_and_in_any_locale(
    run: RunLocal, checkout: Path, tmp_path: Path
) -> None:
    run.wait_for_line("the page is ready")
    wait_until(lambda: bool(run.get("/api/v1/top")["titles"]), timeout=90, what="the page lists titles")
    prometheus = Prometheus(run.ports["PROMETHEUS_PORT"])
    jobs = {"producer": 1.0, "consumer": 1.0, "web": 1.0, "kafka": 1.0}
    wait_until(lambda: prometheus.up() == jobs, timeout=90, what="all answer Prometheus", every=0.5)
    assert prometheus.rules() == {alert.name for alert in alerts()}
    assert run.stop() == 0
    state = checkout / ".local/simulate"
    for data in ("broker/zookeeper/version-2", "broker/kafka/wiki-changes-0", "data/changes"):
        assert any((state / data).iterdir()), f"{data} is where it belongs"
    assert sorted(tmp_path.iterdir()) == [checkout, tmp_path / "run-local.log"]


def test_setup_puts_the_jars_where_they_belong(checkout: Path, tmp_path: Path) -> None:
    subprocess.run([checkout / "scripts/setup"], env={**os.environ, **C_LOCALE}, check=True)
    for jars in _JARS:
        fetched = {file.name for file in (checkout / ".local" / jars).iterdir()}
        assert fetched == {file.name for file in (ROOT / ".local" / jars).iterdir()}
    assert list(tmp_path.iterdir()) == [checkout]
