"""docs/architecture.md leads to what it names: each file has the function or class that stands beside it."""

import ast
import re
from pathlib import Path

import pytest

from docs.pages import ROOT, table_rows

PAGE = ROOT / "docs/architecture.md"
WHERE = "## Where do I find"


def signposts(heading: str) -> list[tuple[str, str]]:
    """File and name of each row."""
    return [(row[-2].strip("`"), row[-1].strip("`")) for row in table_rows(PAGE, heading)]


def defined_in(file: Path) -> set[str]:
    """The functions, classes and constants at the top of a module, or what a script exports."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".js":
        return set(re.findall(r"^export (?:function|class|const) (\w+)", text, re.MULTILINE))
    names = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


@pytest.mark.parametrize("heading", ["## One event's way", WHERE])
def test_each_signpost_leads_to_a_definition(heading: str) -> None:
    wrong = [(file, name) for file, name in signposts(heading) if name not in defined_in(ROOT / file)]
    assert not wrong


def test_twenty_behaviours_can_be_found() -> None:
    assert len(signposts(WHERE)) == 20
    assert len({row[0] for row in table_rows(PAGE, WHERE)}) == 20


def test_every_room_of_a_service_is_in_the_table() -> None:
    rooms = {str(file.parent.relative_to(ROOT)) for file in ROOT.glob("services/*/wiki_*/*/__init__.py")}
    shown = {row[0].strip("`") for row in table_rows(PAGE, "## The rooms")}
    assert {room for room in rooms if not room.startswith("services/common")} <= shown
