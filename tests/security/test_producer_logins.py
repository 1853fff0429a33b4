"""The stream reaches a secured topic with every login that works; every other one is refused at once."""

import asyncio
import re

import pytest

from harness.secure_broker import PASSWORD, SecureBroker
from harness.simulator import Simulator
from producer.topics import TopicReader, make_topics, settings_for
from security.logins import REFUSED, WORKING
from security.relaying import relay_until, settings_of
from wiki_common.kafka.errors import BrokerRefused
from wiki_producer import topic_init
from wiki_producer.kafka.client import connect_admin, connect_producer
from wiki_producer.kafka.publisher import PublishFailed
from wiki_producer.status.checks import check_all

ENOUGH = 100


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
    # What the doctor says of the broker; the stream's line is the last.
    findings = await asyncio.to_thread(lambda: list(check_all(settings)))
    assert [str(each) for each in findings if not each.ok] == []
    if settings.uses_tls:
        [certificate] = [str(each) for each in findings if " TLS: " in str(each)]
        assert re.search(r"certificate of commonName=server, valid until \w{3} .* GMT$", certificate)
    assert f"topic {topic}: may describe, write and read" in str(findings[-3])


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
    said = [str(each) for each in check_all(settings) if not each.ok]
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
