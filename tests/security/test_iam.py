"""IAM: the login is renewed before it ends, without a lost or doubled event, and its end is noticed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from consumer.running import Consumer, committed_ids
from harness.secure_broker import SecureBroker
from harness.simulator import Simulator
from producer.topics import TopicReader, make_topics, settings_for
from security.logins import WORKING, Login, environment
from security.relaying import relay_until, settings_of
from wiki_common.kafka.errors import BrokerRefused

BRIEF = Login("iam_brief", WORKING["iam"].env)


def accepted(broker: SecureBroker, mechanism: str) -> int:
    """How many logins with this mechanism the broker has taken."""
    return broker.log.read_text("utf-8", "replace").count(f"{mechanism} accepted")


def after(count: Callable[[], int], more: int) -> Callable[[], bool]:
    """A condition: `count` has grown by `more` since it was first asked for."""
    first: list[int] = []

    def grown() -> bool:
        first.append(count())
        return first[-1] >= first[0] + more

    return grown


def both(one: Callable[[], bool], other: Callable[[], bool]) -> Callable[[], bool]:
    """A condition: the two hold; each is asked every time."""
    return lambda: all([one(), other()])


def check_nothing_is_lost_or_doubled(reader: TopicReader, stream: Simulator) -> list[str]:
    """The topic holds an unbroken part of what the stream handed out; returns its event ids."""
    published = [record.event_id for record in reader.read() if not record.is_heartbeat]
    handed_out = [each["id"] for each in stream.handed_out() if each["kind"] in ("change", "huge")]
    first = handed_out.index(published[0])
    assert published == handed_out[first : first + len(published)]
    return published


@pytest.mark.slow
async def test_the_producer_renews_its_login_under_load(
    monkeypatch: pytest.MonkeyPatch, secure_broker: SecureBroker, stream: Simulator
) -> None:
    topic = "wiki-renewed"
    make_topics(settings_for(secure_broker.servers("plaintext"), topic))
    env = {"WIKI_STREAM_URL": stream.url, "WIKI_DOMAINS": "*"}
    settings = settings_of(monkeypatch, secure_broker, BRIEF, topic, **env)
    reader = TopicReader(secure_broker.servers("plaintext"), topic)
    await relay_until(
        settings,
        lambda: len(reader.read()) > 0,
        # From here on the producer's connections are there, and only renewals add to the count.
        after(lambda: accepted(secure_broker, "OAUTHBEARER"), more=3),
        after(lambda: len(reader.read()), more=100),
    )
    check_nothing_is_lost_or_doubled(reader, stream)


@pytest.mark.slow
async def test_credentials_that_end_are_noticed_by_the_running_producer(
    monkeypatch: pytest.MonkeyPatch, secure_broker: SecureBroker, stream: Simulator
) -> None:
    topic = "wiki-revoked"
    make_topics(settings_for(secure_broker.servers("plaintext"), topic))
    settings = settings_of(monkeypatch, secure_broker, BRIEF, topic, WIKI_STREAM_URL=stream.url)
    reader = TopicReader(secure_broker.servers("plaintext"), topic)

    def revoked() -> bool:
        if reader.read():
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
            return True
        return False

    with pytest.raises(BrokerRefused, match="the signature does not match"):
        await relay_until(settings, revoked, lambda: False)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_the_whole_pipeline_outlives_several_logins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secure_broker: SecureBroker, stream: Simulator
) -> None:
    topic, login = "wiki-outlived", WORKING["iam"]
    env = {"WIKI_STREAM_URL": stream.url, "WIKI_DOMAINS": "*"}
    settings = settings_of(monkeypatch, secure_broker, login, topic, **env)
    make_topics(settings)
    consumer = Consumer(
        tmp_path, secure_broker.servers("iam"), topic, **environment(secure_broker, login, topic)
    )
    reader = TopicReader(secure_broker.servers("plaintext"), topic)
    try:
        consumer.start()
        await relay_until(
            settings,
            lambda: len(reader.read()) > 0,
            both(
                after(lambda: accepted(secure_broker, "OAUTHBEARER"), more=3),
                # Spark has several connections, and the first login of each counts here.
                after(lambda: accepted(secure_broker, "AWS_MSK_IAM"), more=12),
            ),
        )
        published = check_nothing_is_lost_or_doubled(reader, stream)
        consumer.wait_for_ids(set(published))
        assert committed_ids(consumer.data).total() == len(published)
    finally:
        consumer.close()
