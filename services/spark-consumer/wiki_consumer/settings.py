"""The consumer's settings: environment variables, read once, checked, frozen."""

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationError
from pydantic_settings import SettingsConfigDict

from wiki_consumer.kafka_security import KafkaSecurity, checked_servers

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([0-9]{1,9})(ms|s|m|h|d)", value.strip())
    if match is None or int(match[1]) == 0:
        raise ValueError("a positive integer with a unit: 500ms, 60s, 30m, 24h, 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


Duration = Annotated[timedelta, BeforeValidator(_duration)]


def _server_list(value: str) -> str:
    """The list without spaces and empty parts, as Spark wants it."""
    return ",".join(checked_servers(tuple(part.strip() for part in value.split(",") if part.strip())))


BootstrapServers = Annotated[str, AfterValidator(_server_list)]
TopicName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9._-]{1,240}$")]


class Settings(KafkaSecurity):
    """Each field is an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    kafka_bootstrap_servers: BootstrapServers = "kafka:9092"
    kafka_topic: TopicName = "wiki-changes"

    data_dir: Path = Path("/data")
    max_event_age: Duration = timedelta(minutes=30)
    trigger_interval: Duration = timedelta(seconds=1)
    max_offsets_per_trigger: int = Field(default=50_000, ge=1)
    history_retention: Duration = timedelta(days=7)
    spark_master: str = Field(default="local[*]", pattern=r"^(local|spark|yarn|k8s|mesos)")
    spark_jars_dir: Path = Path("/opt/spark-jars")

    bind_address: str = "0.0.0.0"  # noqa: S104  (a container's network decides who gets there)
    metrics_port: int = Field(default=9100, ge=1, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"


class InvalidSettings(Exception):
    """A setting can't be used; one line names the variable, its value and what is allowed."""


def _one_line(error: ValidationError) -> str:
    first = error.errors()[0]
    reason = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return reason
    name = str(first["loc"][0])
    annotation = Settings.model_fields[name].annotation
    shown = "(hidden)" if "SecretStr" in str(annotation) else str(first["input"])
    return f"{name.upper()}={shown}: {reason}"


def read() -> Settings:
    """The settings in the environment; raises InvalidSettings."""
    try:
        return Settings()
    except ValidationError as error:
        raise InvalidSettings(_one_line(error)) from None


def exit_naming(error: InvalidSettings) -> NoReturn:
    """One line on stderr and exit code 2."""
    sys.stderr.write(f"wiki-consumer: {error}\n")
    raise SystemExit(2)
