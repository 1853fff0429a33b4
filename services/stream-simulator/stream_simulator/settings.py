"""Settings: flags of the command line, and the same names in the environment behind SIMULATOR_."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, CliApp, SettingsConfigDict, SettingsError

Count = Annotated[int, Field(ge=0, description="0: never")]
RefuseStatus = Annotated[Literal[503, 429], BeforeValidator(int)]

_WITHOUT_PREFIX = ("BIND_ADDRESS", "LOG_LEVEL", "LOG_FORMAT")


class Settings(BaseSettings):
    """What to serve, and which faults to make."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_prefix="SIMULATOR_",
        cli_prog_name="python -m stream_simulator",
        cli_exit_on_error=False,
        cli_kebab_case=True,
        cli_shortcuts={"bind-address": "host"},
        cli_avoid_json=True,
    )

    host: str = Field("0.0.0.0", validation_alias="BIND_ADDRESS", description="address to listen on")  # noqa: S104
    port: int = Field(8010, ge=1, le=65535)
    rate: int = Field(33, ge=1, le=20_000, description="events per second over all wikis")
    seed: int = Field(1, ge=0, lt=2**64)
    start: int = Field(0, ge=0, description="time of the first event, ms since the epoch")
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
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", validation_alias="LOG_LEVEL")
    log_format: Literal["console", "json"] = Field("console", validation_alias="LOG_FORMAT")

    @model_validator(mode="after")
    def _finite_streams_start_somewhere(self) -> "Settings":
        if self.events and not self.start:
            raise ValueError(
                f"SIMULATOR_EVENTS={self.events}: needs SIMULATOR_START, or all of them lie in 1970"
            )
        return self


class InvalidSettings(Exception):
    """A setting is wrong; the text is one line that names it, its value and what is allowed."""


def read_settings(arguments: list[str]) -> Settings:
    """The settings from `arguments` and, where these are silent, the environment. Raises InvalidSettings."""
    try:
        return CliApp.run(Settings, cli_args=arguments)
    except SettingsError as error:
        raise InvalidSettings(str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            raise InvalidSettings(first["msg"].removeprefix("Value error, ")) from error
        name = str(first["loc"][0])
        variable = name if name in _WITHOUT_PREFIX else f"SIMULATOR_{name.upper()}"
        raise InvalidSettings(f"{variable}={first['input']}: {first['msg']}") from error
