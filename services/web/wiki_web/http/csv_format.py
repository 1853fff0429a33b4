"""An answer's list as CSV (RFC 4180), safe to open in a spreadsheet."""

import csv
import io
from typing import Any

from wiki_web.data.answers import LIST_NAMES
from wiki_web.data.queries import Kind
from wiki_web.shapes import ITEMS

# A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_text(kind: Kind, document: dict[str, Any]) -> str:
    """A header line, then one line per item of the answer's list."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(ITEMS[kind])
    for row in document[LIST_NAMES[kind]]:
        writer.writerow([_cell(row[name]) for name in ITEMS[kind]])
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Text that looks like a formula gets an apostrophe in front; a list is joined by spaces."""
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
