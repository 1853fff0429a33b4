"""Up to which time everything is counted, and which times nobody watched: a text in a file's footer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import AwareDatetime, TypeAdapter, ValidationError

COVERAGE_KEY: Final = "coverage"
"""Its name in the key-value metadata of a Parquet file."""


class CoverageUnreadable(Exception):
    """The text in a footer describes no coverage; the message says why in one line."""


@dataclass(frozen=True)
class Gap:
    """From after `start` up to `end` (UTC) nothing is known; without a start, nothing before `end`."""

    start: AwareDatetime | None
    end: AwareDatetime


@dataclass(frozen=True)
class Coverage:
    """`as_of` (UTC) is the time up to which everything is counted, None where the file doesn't tell."""

    as_of: AwareDatetime | None = None
    gaps: tuple[Gap, ...] = ()

    def to_json(self) -> str:
        """In one line."""
        return _ADAPTER.dump_json(self).decode()

    @classmethod
    def from_json(cls, text: bytes | str) -> "Coverage":
        """Raises CoverageUnreadable."""
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            raise CoverageUnreadable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    def in_footer(self) -> dict[str, str]:
        """As the key-value metadata of a Parquet file."""
        return {COVERAGE_KEY: self.to_json()}

    @classmethod
    def of_footer(cls, texts: Mapping[bytes, bytes] | None) -> "Coverage":
        """What the metadata of a file tells; nothing in a file of an older version.

        Raises CoverageUnreadable.
        """
        text = (texts or {}).get(COVERAGE_KEY.encode())
        return cls() if text is None else cls.from_json(text)


_ADAPTER: Final = TypeAdapter(Coverage)
