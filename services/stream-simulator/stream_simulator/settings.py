"""Settings: flags of the command line, and the same names in the environment behind SIMULATOR_."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    CliApp,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

Count = Annotated[int, Field(ge=0, description="0: never")]
RefuseStatus = Annotated[Literal[503, 429], BeforeValidator(int)]

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
_YEAR_3000 = 32_503_680_000_000
_WITHOUT_PREFIX = ("BIND_ADDRESS", "LOG_LEVEL", "LOG_FORMAT")


def _level(value: str) -> str:
    """A level as `logging` writes it; another value is left for the error to show."""
    return value.upper() if value.upper() in get_args(Level) else value


def _host(value: str) -> str:
    """An address or a name; `idna` is what it is looked up by."""
    try:
        value.encode("idna")
    except UnicodeError:
        raise ValueError("expected an address of this machine") from None
    return value


Host = Annotated[str, AfterValidator(_host)]


class _Environment(EnvSettingsSource):
    """White space around a value is no part of it; a value of nothing else counts as unset."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        found, name, is_complex = super().get_field_value(field, field_name)
        return (found.strip() or None if found else None), name, is_complex


class Settings(BaseSettings):
    """What to serve, and which faults to make."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_prefix="SIMULATOR_",
        env_ignore_empty=True,
        cli_prog_name="python -m stream_simulator",
        cli_exit_on_error=False,
        cli_kebab_case=True,
        cli_shortcuts={"bind-address": "host"},
        cli_avoid_json=True,
    )

    host: Host = Field("0.0.0.0", validation_alias="BIND_ADDRESS", description="address to listen on")  # noqa: S104
    port: int = Field(8010, ge=1, le=65535)
    rate: int = Field(33, ge=1, le=20_000, description="events per second over all wikis")
    seed: int = Field(1, ge=0, lt=2**64)
    start: int = Field(0, ge=0, le=_YEAR_3000, description="time of the first event, ms since the epoch")
    events: Count = Field(0, description="number of events, the connection then stays open; 0: endless")
    ledger: Path | None = Field(None, description="file to which a line per event handed out is added")
    cut_every: Count = Field(
        0, description="end the response in the middle of every Nth event handed out; 0: never"
    )
    close_every: Count = Field(0, description="end the response after every Nth event handed out; 0: never")
    reset_every: Count = Field(
        0, description="reset the connection after every Nth event handed out; 0: never"
    )
    stall_after: Count = Field(
        0, description="send nothing more on the connection of the Nth event; 0: never"
    )
    refuse_every: Count = Field(0, description="refuse every Nth request; 0: never")
    refuse_status: RefuseStatus = Field(503, description="status of a refusal")
    retry_after: Count = Field(0, description="seconds in a refusal's Retry-After; 0: no such header")
    malformed_every: Count = Field(0, description="make every Nth event of the stream unreadable; 0: never")
    huge_every: Count = Field(0, description="make every Nth event of the stream 1 MB long; 0: never")
    english_every: Count = Field(
        0, description="only every Nth event is of the English Wikipedia; 0: one in eight, as upstream"
    )
    log_level: Annotated[Level, BeforeValidator(_level)] = Field("INFO", validation_alias="LOG_LEVEL")
    log_format: Annotated[Literal["console", "json"], BeforeValidator(str.lower)] = Field(
        "console", validation_alias="LOG_FORMAT"
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *_: Any, **__: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Beside the flags, which come first."""
        return (_Environment(settings_cls),)

    @model_validator(mode="after")
    def _finite_streams_start_somewhere(self) -> "Settings":
        if self.events and not self.start:
            raise ValueError(
                f"SIMULATOR_EVENTS={self.events}: needs SIMULATOR_START, or all of them lie in 1970"
            )
        return self


class InvalidSettings(Exception):
    """The text is one line per setting that is wrong: its name, its value and what is allowed."""


def read_settings(arguments: list[str]) -> Settings:
    """The settings from `arguments` and, where these are silent, the environment. Raises InvalidSettings."""
    try:
        return CliApp.run(Settings, cli_args=arguments)
    except SettingsError as error:
        raise InvalidSettings(str(error)) from error
    except ValidationError as error:
        raise InvalidSettings("\n".join(map(_line, error.errors()))) from error


def _line(problem: ErrorDetails) -> str:
    if not problem["loc"]:
        return problem["msg"].removeprefix("Value error, ")
    name = str(problem["loc"][0])
    variable = name if name in _WITHOUT_PREFIX else f"SIMULATOR_{name.upper()}"
    line = f"{variable}={problem['input']}: {problem['msg']}"
    return "".join(letter if letter.isprintable() else ascii(letter).strip("'") for letter in line)
