"""The lines and metrics that docs/recovery.md quotes are those of the consumer."""

import ast
import re
from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest

from docs.pages import ROOT, text_of
from wiki_consumer.status.metrics import Metrics

PAGE = ROOT / "docs/recovery.md"
CONSUMER = ROOT / "services/spark-consumer/wiki_consumer"


def said() -> Iterator[str]:
    """Every text in the consumer's code, with … for what is filled in."""
    for file in CONSUMER.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                yield "".join(map(str, parts))


def lines() -> list[str]:
    """Quoted in the table of lines, without the files, or where the log is spoken of."""
    cells = [line.split("|")[1] for line in text_of(PAGE).splitlines() if line.startswith("|")][2:]
    quoted = [line for cell in cells for line in re.findall(r"`([^`]+)`", cell) if "/" not in line]
    return quoted + re.findall(r"the log says[^`.]*`([^`]+)`", text_of(PAGE))


@pytest.mark.parametrize("line", lines())
def test_a_line_is_said(line: str) -> None:
    texts = list(said())
    for part in line.split("…"):
        assert any(part.strip(" ,") in text for text in texts), part


def test_each_metric_is_there() -> None:
    metrics = set(re.findall(r"`(wiki_consumer_\w+)`", text_of(PAGE)))
    assert metrics
    assert metrics <= set(re.findall(r"wiki_consumer_\w+", generate_latest(Metrics().registry).decode()))


def test_lines_are_found_in_the_table_and_in_the_text() -> None:
    assert len(lines()) >= 6
    assert "records dropped" in lines()
