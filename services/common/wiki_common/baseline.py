"""What is usual: the layout of the file `baseline.parquet`, which the consumer writes and the page reads.

A row has the counted changes of one title of a wiki. A row without a title sums up all titles of a wiki and
namespace that have any.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

BASELINE_KEY: Final = "baseline"
"""Its name in the key-value metadata of the file."""

WIKI, NAMESPACE, TITLE, CHANGES, TITLES = "wiki", "namespace", "title", "changes", "titles"
COLUMNS: Final = {WIKI: "string", NAMESPACE: "int32", TITLE: "string", CHANGES: "int64", TITLES: "int64"}
"""With their types in Arrow: `changes` are those counted, `titles` how many titles have them."""

COUNTED_TYPES: Final = ("edit", "new")
MOST_OF_ONE: Final = 3
"""Changes of a title by one editor that count, an hour. Bots' don't."""


class BaselineUnreadable(Exception):
    """The text in a footer describes no baseline; the message says why in one line."""


@dataclass(frozen=True)
class Covered:
    """Counted are changes from `start` to `end` (UTC); `watched_seconds` of that time were watched.

    Titles with fewer than `least_changes` of them have no row.
    """

    start: AwareDatetime
    end: AwareDatetime
    watched_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    least_changes: Annotated[int, Field(ge=1)] = 1

    @property
    def watched(self) -> timedelta:
        return timedelta(seconds=self.watched_seconds)

    def in_footer(self) -> dict[str, str]:
        """As the key-value metadata of a Parquet file."""
        return {BASELINE_KEY: _ADAPTER.dump_json(self).decode()}

    @classmethod
    def of_footer(cls, texts: Mapping[bytes, bytes] | None) -> "Covered":
        """What the metadata of a file tells. Raises BaselineUnreadable."""
        text = (texts or {}).get(BASELINE_KEY.encode())
        if text is None:
            raise BaselineUnreadable("it is no baseline: its footer tells no time")
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            raise BaselineUnreadable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


_ADAPTER: Final = TypeAdapter(Covered)
