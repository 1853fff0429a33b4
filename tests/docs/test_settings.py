"""The variables in .env.example and in the README against the services' own settings and defaults."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

import local_stack.settings
import stream_simulator.settings
import wiki_consumer.settings
import wiki_producer.settings
import wiki_web.settings
from docs.pages import ROOT, table_rows
from wiki_common.misspelt import misspelt, variables

SERVICES: dict[str, type[BaseSettings]] = {
    "producer": wiki_producer.settings.Settings,
    "consumer": wiki_consumer.settings.Settings,
    "web": wiki_web.settings.Settings,
}
RUN_LOCAL: type[BaseSettings] = local_stack.settings.Settings
SIMULATOR: type[BaseSettings] = stream_simulator.settings.Settings
# No service reads these: Compose itself does.
IMAGES = {"ZOOKEEPER_IMAGE", "KAFKA_IMAGE", "PYTHON_IMAGE", "MAVEN_IMAGE"}
OF_COMPOSE = {
    "PUBLISH_ADDRESS",
    "CONFLUENT_VERSION",
    "COMPOSE_FILE",
    "ALERTMANAGER_CONFIG",
    "ALERTMANAGER_PORT",
    "GRAFANA_PORT",
    *IMAGES,
}
# The command line's.
OPTIONS = {"SIMULATE", "OBSERVE"}


def documented() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    found = (re.fullmatch(r"#([A-Z_]+)=(.*)", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in documented():
        for spelling in (name, name.lower()):
            monkeypatch.delenv(spelling, raising=False)


def test_every_variable_of_a_service_and_of_run_local_is_listed() -> None:
    known = {name for settings in (*SERVICES.values(), RUN_LOCAL) for name in variables(settings)}
    assert known - OPTIONS - set(documented()) == set()


def test_nothing_is_listed_that_nobody_reads() -> None:
    known = {name for settings in (*SERVICES.values(), RUN_LOCAL, SIMULATOR) for name in variables(settings)}
    assert set(documented()) - known == OF_COMPOSE


@pytest.mark.parametrize("settings", [(each,) for each in SERVICES.values()] + [(RUN_LOCAL, SIMULATOR)])
def test_none_that_is_listed_is_taken_for_a_misspelt_one(settings: tuple[type[BaseSettings], ...]) -> None:
    """All services may have one environment."""
    assert misspelt(documented(), *settings) == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_values_listed_are_the_defaults(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SERVICES[service]
    defaults = settings()
    for variable, field in variables(settings).items():
        if value := documented()[variable]:
            monkeypatch.setenv(variable, value)
            assert getattr(settings(), field) == getattr(defaults, field), f"{variable}={value}"
        else:
            assert getattr(defaults, field) is None, variable


def test_the_values_listed_for_run_local_alone_are_its_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    of_services = {name for settings in SERVICES.values() for name in variables(settings)}
    monkeypatch.chdir(ROOT)
    for settings in (RUN_LOCAL, SIMULATOR):
        defaults = settings()
        for variable, field in variables(settings).items():
            value = documented().get(variable)
            if value and variable not in of_services:
                monkeypatch.setenv(variable, value)
                assert _comparable(getattr(settings(), field)) == _comparable(getattr(defaults, field))


def _comparable(value: Any) -> Any:
    return value.absolute() if isinstance(value, Path) else value


def test_the_defaults_in_the_readme_are_those_listed() -> None:
    for row in table_rows(ROOT / "README.md", "## Settings"):
        names, values = (re.findall(r"`([^`]+)`", cell) for cell in row[:2])
        assert set(names) <= set(documented())
        if values:
            assert values == [documented()[name] for name in names], row
