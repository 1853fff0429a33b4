"""The settings of the producer and of topic_init: one frozen object, read once from the environment."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import NoDecode, SettingsConfigDict

from wiki_producer.duration import Duration
from wiki_producer.kafka_security import ANY_CASE, KafkaSecurity, checked_servers

ALL_DOMAINS = "*"
# The topic of rejected events has the longer name, and Kafka allows 249 characters.
_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,240}")


def _comma_list(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_list), Field(min_length=1)]


class WrongSettings(Exception):
    """One line per setting that is wrong: the variable, its value, what is allowed."""


class Settings(KafkaSecurity):
    """An empty variable counts as unset, as Compose passes those it does not know."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    wiki_stream_url: str = "https://stream.wikimedia.org/v2/stream/recentchange"
    wiki_domains: CommaList = ("en.wikipedia.org",)
    wiki_user_agent: str = (
        "live-top-of-wikipedia/1.0 (https://www.mediawiki.org/wiki/API:Recent_changes_stream) aiohttp"
    )
    wiki_stream_idle_timeout: Duration = Field(default="60s", validate_default=True)
    max_event_age: Duration = Field(default="30m", validate_default=True)

    kafka_bootstrap_servers: Annotated[CommaList, AfterValidator(checked_servers)] = ("kafka:9092",)
    kafka_topic: str = "wiki-changes"
    kafka_topic_partitions: int = Field(default=1, ge=1, le=10_000)
    kafka_topic_replication_factor: int = Field(default=1, ge=1, le=100)
    kafka_topic_retention_hours: int = Field(default=24, ge=1, le=100_000)
    kafka_connect_timeout: Duration = Field(default="60s", validate_default=True)

    metrics_port: int = Field(default=9100, ge=1, le=65535)
    bind_address: str = "0.0.0.0"  # noqa: S104 - the container's port is published or not by Compose
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], ANY_CASE] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @property
    def rejected_topic(self) -> str:
        """Where events go that are kept but can't be read."""
        return f"{self.kafka_topic}.rejected"

    @field_validator("wiki_stream_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^\s/]+\S*", value):
            raise ValueError("expected an http:// or https:// URL")
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
        for domain in lowered:
            if domain != ALL_DOMAINS and not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", domain):
                raise ValueError("expected domains such as en.wikipedia.org, separated by commas, or *")
        return lowered

    @field_validator("kafka_topic")
    @classmethod
    def _is_topic(cls, value: str) -> str:
        if not _TOPIC.fullmatch(value) or value in {".", ".."}:
            raise ValueError("expected up to 240 of a-z A-Z 0-9 . _ -")
        return value


def read_settings() -> Settings:
    """The settings from the environment. WrongSettings names each variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        raise WrongSettings("\n".join(_line(problem) for problem in error.errors())) from None


def _line(problem: ErrorDetails) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    field = str(problem["loc"][0])
    value = problem["input"]
    shown = ",".join(value) if isinstance(value, tuple) else value
    if "password" in field:
        shown = "…"
    return f"{field.upper()}={shown}: {message}"
