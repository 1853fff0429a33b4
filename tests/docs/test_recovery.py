"""The lines and metrics that docs/recovery.md quotes are those of the services and of run-local."""

import ast
import re
from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest

from docs.pages import ROOT, text_of
from wiki_consumer.status.metrics import Metrics

PAGE = ROOT / "docs/recovery.md"
CODE = [
    ROOT / folder
    for folder in (
        "services/spark-consumer/wiki_consumer",
        "services/producer/wiki_producer",
        "scripts/local_stack",
    )
]


def said() -> Iterator[str]:
    """Every text in the code, with … for what is filled in."""
    for file in (file for folder in CODE for file in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                yield "".join(map(str, parts))


def lines() -> list[str]:
    """Quoted in the table, but for files, or where something says it; … for what is filled in."""
    cells = [line.split("|")[1] for line in text_of(PAGE).splitlines() if line.startswith("|")][2:]
    quoted = [line for cell in cells for line in re.findall(r"`([^`]+)`", cell) if "/" not in line]
    spoken = re.findall(r"\bsays\b[^`.:|]*(?:`([^`]+)`|:\n\n    (.+)\n)", text_of(PAGE))
    return quoted + [(inline or block).replace("wiki-changes", "…") for inline, block in spoken]


def test_what_is_quoted_is_found() -> None:
    """One of the table, one that is spoken of, and one that stands by itself."""
    assert {
        "it was deleted and made again, or KAFKA_TOPIC was changed",
        "records dropped",
        "the consumer is running",
        "there is no topic …: run topic_init first",
        "a topic was gone and has been made again",
    } <= set(lines())


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
