"""Tables, and their places in a page of the documentation."""

from collections.abc import Iterable, Sequence
from pathlib import Path


class NoMarkers(Exception):
    """The page has no place for this section."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def written(page: str, section: str, text: str) -> str:
    """`page` with `text` between its markers of `section`. Raises NoMarkers."""
    begin, end = f"<!-- {section}: begin -->\n", f"<!-- {section}: end -->"
    head, found_begin, rest = page.partition(begin)
    _, found_end, tail = rest.partition(end)
    if not (found_begin and found_end):
        raise NoMarkers(f"no {begin.strip()} and {end} after it")
    return f"{head}{begin}\n{text}\n\n{end}{tail}"


def write(page: Path, section: str, text: str) -> None:
    """As `written`, in the file. Raises NoMarkers, and changes nothing then."""
    page.write_text(written(page.read_text(encoding="utf-8"), section, text), encoding="utf-8")
