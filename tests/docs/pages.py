"""The documentation as text: pages, their links, headings and tables."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(r"(?<![\w/.:*-])(?:\./)?((?:services|scripts|tests|docs|\.ci)/[\w./*-]*[\w*])")
_MODULE = re.compile(r"python -m (\w+(?:\.\w+)*)")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def links(page: Path) -> set[str]:
    """Targets within the repository, as written."""
    return {target for target in _LINK.findall(text_of(page)) if "://" not in target}


def paths(page: Path) -> set[str]:
    """Whatever looks like a file or folder of the repository, in prose or in code; may have a `*`."""
    return {match.rstrip(".") for match in _PATH.findall(text_of(page))}


def modules(page: Path) -> set[str]:
    """What is run by `python -m`."""
    return set(_MODULE.findall(text_of(page)))


def headings(page: Path) -> list[str]:
    prose = _FENCE.sub("", text_of(page))
    found: list[str] = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return found


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives the headings."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}


def table_rows(page: Path, heading: str) -> Iterator[list[str]]:
    """The cells of each row of the table below `heading`, without its header."""
    section = text_of(page).split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]
