"""What two services need is in wiki_common once: no lines of code are copied from one to another."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST = 5
"""So many lines in a row may be the same by chance."""


def code_lines(text: str) -> list[str]:
    """Without imports, comments and empty lines."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    stripped = (line.strip() for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]


def copies(texts: dict[Path, str]) -> list[str]:
    """Each place whose next lines stand in another service too; a file's service is its first folder."""
    places = defaultdict(list)
    for file, text in texts.items():
        lines = code_lines(text)
        for start in range(len(lines) - MOST):
            places[tuple(lines[start : start + MOST + 1])].append(f"{file}: {lines[start]}")
    return [
        place
        for found in places.values()
        if len({each.partition("/")[0] for each in found}) > 1
        for place in found
    ]


def test_no_code_is_copied_from_service_to_service() -> None:
    services = ROOT / "services"
    texts = {file.relative_to(services): file.read_text(encoding="utf-8") for file in services.rglob("*.py")}
    assert len({file.parts[0] for file in texts}) == 5
    assert copies(texts) == []


def test_six_lines_are_a_copy_and_five_are_none() -> None:
    def services(lines: int) -> dict[Path, str]:
        body = "\n".join(f"x{number} = {number}" for number in range(lines))
        return {
            Path("a/one.py"): f"import re\n{body}\n",
            Path("b/two.py"): f"def f():\n    return 1\n\n\n# why\n{body}\n",
        }

    assert copies(services(5)) == []
    assert copies(services(6)) == ["a/one.py: x0 = 0", "b/two.py: x0 = 0"]
