"""The producer's service within the test's process, with settings from the environment."""

import asyncio
from collections.abc import Callable

import pytest

from harness.processes import free_port, wait_until
from harness.secure_broker import SecureBroker
from security.logins import Login, environment
from wiki_common.settings import read_settings
from wiki_producer.service import run
from wiki_producer.settings import Settings

TIMEOUT = 120


def settings_of(
    monkeypatch: pytest.MonkeyPatch, broker: SecureBroker, login: Login, topic: str, **env: str
) -> Settings:
    """The settings of `login`, which are in the environment from then on."""
    for name, value in {**environment(broker, login, topic), "METRICS_PORT": str(free_port()), **env}.items():
        monkeypatch.setenv(name, value)
    return read_settings(Settings)


async def relay_until(settings: Settings, *conditions: Callable[[], bool]) -> None:
    """Run the service until the conditions have held one after the other, then stop it in order.

    Raises what ends the service by itself.
    """
    stop = asyncio.Event()
    service = asyncio.create_task(run(settings, stop))

    def ended_or(condition: Callable[[], bool]) -> Callable[[], bool]:
        return lambda: service.done() or condition()

    try:
        for condition in conditions:
            await asyncio.to_thread(
                wait_until, ended_or(condition), timeout=TIMEOUT, what="the next condition"
            )
    finally:
        stop.set()
        await service
