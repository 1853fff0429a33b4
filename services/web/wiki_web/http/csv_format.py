"""An answer's list as CSV (RFC 4180), safe to open in a spreadsheet."""

import csv
import io
from typing import Any

from wiki_web.data.documents import ITEMS, LIST_NAMES, Document
from wiki_web.data.queries import Kind

# A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_columns(kind: Kind) -> list[str]:
    """The columns' names: those of the JSON's items."""
    return [field.alias or name for name, field in ITEMS[kind].model_fields.items()]


def csv_text(kind: Kind, document: Document) -> str:
    """A header line, then one line per item of the answer's list."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(csv_columns(kind))
    for item in document.model_dump(mode="json")[LIST_NAMES[kind]]:
        writer.writerow([_cell(value) for value in item.values()])
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Text that looks like a formula gets an apostrophe in front; a list is joined by spaces."""
    if isinstance(value, list):
        return " ".join("" if item is None else str(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
