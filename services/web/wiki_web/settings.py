"""The service's settings, read once from the environment."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")


def parse_duration(text: object) -> timedelta:
    """`30m`, `24h`, … as a timedelta; ValueError for anything else."""
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(str(text))
    if match is None:
        raise ValueError("a whole number with a unit ms, s, m, h or d, such as 30m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


class Settings(BaseSettings):
    """Each field is the environment variable of the same name in capitals; an empty one counts as unset."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    data_dir: Path = Path("/data")
    spark_master: Annotated[str, Field(min_length=1)] = "local[*]"
    bind_address: Annotated[str, Field(min_length=1)] = "0.0.0.0"  # noqa: S104 - inside a container every interface is meant
    web_engine: Literal["spark", "duckdb"] = "spark"
    web_port: Annotated[int, Field(ge=1, le=65535)] = 5000
    web_window: Duration = timedelta(minutes=30)
    web_top_n: Annotated[int, Field(ge=1, le=500)] = 20
    web_refresh_seconds: Annotated[int, Field(ge=1, le=60)] = 2
    web_max_window: Duration = timedelta(hours=24)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @model_validator(mode="after")
    def _check_windows(self) -> Self:
        shortest, longest = timedelta(minutes=1), timedelta(days=7)
        for name, value in (("WEB_WINDOW", self.web_window), ("WEB_MAX_WINDOW", self.web_max_window)):
            if not shortest <= value <= longest:
                raise ValueError(f"{name}={duration_text(value)}: from 1m to 7d is allowed")
        if self.web_window > self.web_max_window:
            raise ValueError(
                f"WEB_WINDOW={duration_text(self.web_window)}: "
                f"at most WEB_MAX_WINDOW={duration_text(self.web_max_window)} is allowed"
            )
        return self


class SettingsError(ValueError):
    """One line that names the variable, its value and what is allowed."""


def read_settings() -> Settings:
    """The environment's settings; SettingsError for the first wrong value."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(_one_line(error)) from error


def duration_text(value: timedelta) -> str:
    """The shortest spelling in one unit: 30m, 90s, 24h."""
    milliseconds = value // timedelta(milliseconds=1)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def _one_line(error: ValidationError) -> str:
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return message
    return f"{str(first['loc'][0]).upper()}={first['input']}: {message[:1].lower()}{message[1:]}"
