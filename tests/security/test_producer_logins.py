"""The stream reaches a secured topic with every login that works; every other one is refused at once."""

import asyncio
import re

import pytest

from harness.secure_broker import PASSWORD, SecureBroker
from harness.simulator import Simulator
from producer.topics import TopicReader, make_topics, settings_for
from security.logins import REFUSED, WORKING
from security.relaying import relay_until, settings_of
from wiki_common.doctor.bounded import findings_of
from wiki_common.doctor.finding import Level
from wiki_common.kafka.errors import BrokerRefused
from wiki_producer import topic_init
from wiki_producer.doctor.__main__ import checks
from wiki_producer.kafka.client import connect_admin, connect_producer
from wiki_producer.kafka.publisher import PublishFailed
from wiki_producer.settings import Settings

ENOUGH = 100


def diagnosis(settings: Settings) -> dict[Level, list[str]]:
    """What the doctor says."""
    found = [finding for check in checks(settings, False) for finding in findings_of(check)]
    return {
        level: [f"{each.what}: {each.detail}" for each in found if each.level is level] for level in Level
    }


@pytest.mark.parametrize("name", WORKING)
async def test_the_topic_is_made_and_filled(
    monkeypatch: pytest.MonkeyPatch, secure_broker: SecureBroker, stream: Simulator, name: str
) -> None:
    topic = f"wiki-produced-{name}"
    env = {"WIKI_STREAM_URL": stream.url, "WIKI_DOMAINS": "*"}
    settings = settings_of(monkeypatch, secure_broker, WORKING[name], topic, **env)
    assert await asyncio.to_thread(topic_init.main) == 0
    reader = TopicReader(secure_broker.servers("plaintext"), topic)
    await relay_until(settings, lambda: len(reader.read()) >= ENOUGH)
    said = await asyncio.to_thread(diagnosis, settings)
    assert said[Level.PROBLEM] == []
    if settings.uses_tls:
        [certificate] = [line for line in said[Level.OK] if " TLS: " in line]
        assert re.search(r"certificate of commonName=server, valid until \w{3} .* GMT$", certificate)
    assert f"topic {topic}: may describe, write and read" in said[Level.OK]


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_told_at_once_by_every_client(
    monkeypatch: pytest.MonkeyPatch, secure_broker: SecureBroker, name: str
) -> None:
    login = REFUSED[name]
    settings = settings_of(monkeypatch, secure_broker, login, "wiki-changes")
    assert login.says is not None
    for connect in (connect_admin, connect_producer):
        with pytest.raises(BrokerRefused) as refused:
            connect(settings, 30_000)
        assert login.says in str(refused.value)
        assert "\n" not in str(refused.value)
    said = diagnosis(settings)[Level.PROBLEM]
    assert login.says in said[0]
    for text in (str(refused.value), *said):
        assert PASSWORD not in text
        assert "wr0ng-secret" not in text


async def test_a_right_that_is_taken_away_ends_the_running_producer(
    monkeypatch: pytest.MonkeyPatch, secure_broker: SecureBroker, stream: Simulator
) -> None:
    topic = "wiki-taken-away"
    make_topics(settings_for(secure_broker.servers("plaintext"), topic))
    env = {"WIKI_STREAM_URL": stream.url, "WIKI_DOMAINS": "*"}
    settings = settings_of(monkeypatch, secure_broker, WORKING["tls-scram-512"], topic, **env)
    reader = TopicReader(secure_broker.servers("plaintext"), topic)

    def denied() -> bool:
        if not reader.read():
            return False
        secure_broker.deny_writing(topic)
        return True

    with pytest.raises(PublishFailed, match=f"topic {topic} partition 0: TopicAuthorizationFailedError"):
        await relay_until(settings, denied, lambda: False)
