"""How every service reads its settings: environment variables, read once, checked, frozen."""

import re
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

WRONG_SETTINGS: Final = 2
"""The exit code of a process whose settings are wrong."""


def _in_upper_case(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    try:
        return validate(value.upper() if isinstance(value, str) else value)
    except ValidationError:
        # So that the error shows the value as it was written.
        return validate(value)


ANY_CASE: Final = WrapValidator(_in_upper_case)


def _in_lower_case(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _comma_list(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


_SPARK_MASTER: Final = re.compile(
    r"local(\[(\*|[1-9][0-9]{0,3})(,[1-9][0-9]{0,3})?\])?|local-cluster\[[0-9]+(,[0-9]+){2}\]"
    r"|spark://\S+:[0-9]+|k8s://\S+|yarn"
)


def _spark_master(value: str) -> str:
    if not _SPARK_MASTER.fullmatch(value):
        raise ValueError("expected local[*], spark://…, k8s://… or yarn")
    return value


_HOST_NAME: Final = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}", re.IGNORECASE)


def _address(value: str) -> str:
    try:
        ip_address(value)
    except ValueError:
        if not _HOST_NAME.fullmatch(value):
            raise ValueError("expected an IP address, or this machine's name") from None
    return value


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_list)]
Port = Annotated[int, Field(ge=1, le=65_535)]
Address = Annotated[str, AfterValidator(_address)]
"""What to listen on; whether this machine has it shows when it listens."""
SparkMaster = Annotated[str, AfterValidator(_spark_master)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], ANY_CASE]
LogFormat = Annotated[Literal["console", "json"], BeforeValidator(_in_lower_case)]


_LOGIN: Final = re.compile(r"^([a-z][a-z0-9+.-]*://)?.*@", re.IGNORECASE | re.DOTALL)


def is_utf8(value: str) -> bool:
    """Whether its bytes were UTF-8: Python shows others as lone surrogates, at which pydantic fails."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def text_in(name: str, file: Path) -> str:
    """What is in `file`, which the variable `name` names. Raises ValueError, which names both."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{name}={file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{name}={file}: not a text file") from None


def secret_in(name: str, file: Path) -> str:
    """As text_in, without the end of the line; an empty one is no secret."""
    text = text_in(name, file).rstrip("\r\n")
    if not text:
        raise ValueError(f"{name}={file}: the file is empty")
    return text


class InvalidSettings(Exception):
    """One line per setting that is wrong: the variable, its value, what is allowed."""


class _TrimmedEnvironment(EnvSettingsSource):
    """The environment without white space around the values."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        value, key, is_complex = super().get_field_value(field, field_name)
        if isinstance(value, str):
            # A password may begin or end with a space, but not with the end of a line.
            value = value.strip("\r\n" if _is_secret(field) else None) or None
        return value, key, is_complex


class ServiceSettings(BaseSettings):
    """Each field is the environment variable of the same name in capitals.

    White space around a value is no part of it, and a value of nothing else counts as unset: Compose passes
    variables that it doesn't know as empty ones, and a file with Windows' line ends leaves a carriage return
    behind each.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    bind_address: Address = "0.0.0.0"  # noqa: S104 - inside a container every interface is meant
    log_level: LogLevel = "INFO"
    log_format: LogFormat = "console"

    @field_validator("*", mode="before")
    @classmethod
    def _is_text(cls, value: object) -> object:
        if isinstance(value, str) and not is_utf8(value):
            raise ValueError("expected UTF-8")
        return value

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: Any, **named: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Values given in code, then the environment: a .env file is for Compose alone."""
        return named["init_settings"], _TrimmedEnvironment(settings_cls)


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def read_settings(settings: type[SettingsT], **given: Any) -> SettingsT:
    """The settings `given`, and for the rest those in the environment.

    InvalidSettings names each variable that is wrong.
    """
    try:
        return settings(**given)
    except ValidationError as error:
        lines = [_printable(_line(settings, problem)) for problem in error.errors()]
        raise InvalidSettings("\n".join(lines)) from None


def read_settings_or_exit(settings: type[SettingsT]) -> SettingsT:
    """The settings in the environment; wrong ones end the process with a line for each and WRONG_SETTINGS."""
    try:
        return read_settings(settings)
    except InvalidSettings as error:
        print(error, file=sys.stderr)  # noqa: T201 - logs are not set up without settings
        raise SystemExit(WRONG_SETTINGS) from None


def _line(settings: type[BaseSettings], problem: ErrorDetails) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    field = str(problem["loc"][0])
    value = problem["input"]
    shown = ",".join(value) if isinstance(value, tuple) else str(value)
    # A URL may have a login in it, wherever one is taken.
    shown = "…" if _is_secret(settings.model_fields.get(field)) else _LOGIN.sub(r"\1…@", shown)
    return f"{field.upper()}={shown}: {message}"


def _printable(text: str) -> str:
    """In one line: line ends, escape sequences of terminals and the like are shown as Python writes them."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _is_secret(field: FieldInfo | None) -> bool:
    return field is not None and SecretStr.__name__ in str(field.annotation)
