"""Java's property files as java.util.Properties reads them: Latin-1, and escapes for everything else."""

import re
from collections.abc import Mapping

_NOT_PLAIN = re.compile(r"[^ -~]|[\\:=#!]|^ ")


def properties_text(values: Mapping[str, object]) -> str:
    """A line for each entry, from which Java gets exactly this key and this value; keys have no spaces."""
    return "".join(f"{_escaped(key)}={_escaped(str(value))}\n" for key, value in values.items())


def _escaped(text: str) -> str:
    return _NOT_PLAIN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character.isascii() and character.isprintable():
        return f"\\{character}"
    utf_16 = character.encode("utf-16-be")
    return "".join(f"\\u{utf_16[at : at + 2].hex()}" for at in range(0, len(utf_16), 2))
