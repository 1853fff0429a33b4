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


def test_twenty_behaviours_and_more_can_be_found_each_once() -> None:
    behaviours = [row[0] for row in table_rows(PAGE, WHERE)]
    assert len(behaviours) == len(set(behaviours)) == len(set(signposts(WHERE))) > 20


def folders_of_code() -> set[str]:
    """Packages, but for those that have their service's name, and what isn't Python."""
    packages = {file.parent.relative_to(ROOT) for file in ROOT.glob("s*/**/__init__.py")}
    services = {str(each) for each in packages if each.parts[0] == "services" and len(each.parts) == 3}
    return {str(each) for each in packages} - services | {"services/observe", "kubernetes"}


def test_every_folder_of_code_is_in_the_table() -> None:
    shown = {row[0].strip("`") for row in table_rows(PAGE, "## The rooms")}
    assert folders_of_code() <= shown
    assert {room for room in shown if not (ROOT / room).is_dir()} == set()
