"""The settings of the producer and of topic_init: one frozen object, read once from the environment."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr, field_validator

from wiki_common import VERSION
from wiki_common.duration import Duration
from wiki_common.kafka.security import KafkaSettings, checked_servers
from wiki_common.kafka.topic import TopicName
from wiki_common.settings import CommaList, Port
from wiki_producer.urls import parse_http_url

ALL_DOMAINS: Final = "*"
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def _with_scheme(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    url = text if "://" in text else f"http://{text}"
    parse_http_url(url)
    return SecretStr(url)


# Its URL may have a login in it.
Proxy = Annotated[SecretStr, AfterValidator(_with_scheme)]


class Settings(KafkaSettings):
    """Where the stream is, what is kept of it, and the topic that it goes to."""

    wiki_stream_url: str = "https://stream.wikimedia.org/v2/stream/recentchange"
    wiki_domains: CommaList = ("en.wikipedia.org",)
    wiki_user_agent: str = (
        f"live-top-of-wikipedia/{VERSION} (https://www.mediawiki.org/wiki/API:Recent_changes_stream) aiohttp"
    )
    http_proxy: Proxy | None = None
    https_proxy: Proxy | None = None
    no_proxy: str | None = None
    wiki_stream_idle_timeout: Duration = Field(default="60s", validate_default=True)
    max_event_age: Duration = Field(default="30m", validate_default=True)

    kafka_bootstrap_servers: Annotated[CommaList, AfterValidator(checked_servers)] = ("kafka:9092",)
    kafka_topic: TopicName = "wiki-changes"
    kafka_topic_partitions: int = Field(default=1, ge=1, le=10_000)
    kafka_topic_replication_factor: int = Field(default=1, ge=1, le=100)
    kafka_topic_retention_hours: int = Field(default=24, ge=1, le=100_000)
    kafka_connect_timeout: Duration = Field(default="60s", validate_default=True)

    metrics_port: Port = 9100

    @property
    def rejected_topic(self) -> str:
        """Where events go that are wanted but can't be read."""
        return f"{self.kafka_topic}.rejected"

    @field_validator("wiki_stream_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        url = parse_http_url(value)
        if url.user is not None or url.password is not None:
            raise ValueError("expected a URL without user name and password: it is shown in logs")
        return value

    @field_validator("wiki_user_agent")
    @classmethod
    def _is_header(cls, value: str) -> str:
        if not value.isprintable() or not value.isascii() or not value.strip():
            raise ValueError("expected printable ASCII: a project's name and a URL to reach its people")
        return value

    @field_validator("wiki_domains")
    @classmethod
    def _are_domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        lowered = tuple(domain.lower() for domain in value)
        for domain in lowered or ("",):
            if domain != ALL_DOMAINS and _DOMAIN.fullmatch(domain) is None:
                raise ValueError(
                    f"{domain!r}: expected a domain such as en.wikipedia.org, not a database name"
                    " such as enwiki; several separated by commas; or * for all"
                )
        return lowered
