"""What a check found, for a person and for a machine."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How grave it is: a note is worth knowing, a problem has to be mended."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, and what was found. A problem's detail ends with what to do."""

    what: str
    level: Level
    detail: str

    def to_text(self, service: str) -> str:
        """For a terminal; a problem stands out."""
        label = "FAIL" if self.level is Level.PROBLEM else self.level.value
        return f"{label:<4} {service} {self.what}: {self.detail}"

    def to_json(self, service: str) -> str:
        """In one line, so that the doctors of several services can write one after the other."""
        found = {
            "service": service,
            "check": self.what,
            "status": self.level.value,
            "detail": self.detail,
        }
        return json.dumps(found, ensure_ascii=False)


def ok(what: str, detail: str) -> Finding:
    return Finding(what, Level.OK, detail)


def note(what: str, detail: str) -> Finding:
    return Finding(what, Level.NOTE, detail)


def problem(what: str, detail: str) -> Finding:
    return Finding(what, Level.PROBLEM, detail)


@dataclass(frozen=True)
class Check:
    """Something to look at; `look` may block, and may raise at what nobody foresaw."""

    what: str
    look: Callable[[], Iterable[Finding]]
