"""docs/promises.md as data: its promises, their commands, and how old their figures are."""

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from docs.pages import ROOT, table_rows

PAGE = ROOT / "docs/promises.md"
IN_CI, UNKNOWN = "in each CI run", "not measured yet"

_MEASURED = re.compile(r".+ at `([0-9a-f]{7,40})`(?:, still so at `([0-9a-f]{7,40})`)?, .+")


@dataclass(frozen=True)
class Promise:
    """A row of the page."""

    text: str
    command: str
    takes: str
    measured: str
    paths: tuple[str, ...]
    """The code that the figure speaks of."""

    @property
    def words(self) -> list[str]:
        """The command's, without quotes: the script, then its arguments."""
        return shlex.split(self.command)

    @property
    def figure_of(self) -> str | None:
        """The commit that a figure is of, or still is of; None where there is none.

        Raises ValueError if the cell is none of the forms that there are.
        """
        if self.measured in (IN_CI, UNKNOWN):
            return None
        found = _MEASURED.fullmatch(self.measured)
        if found is None:
            raise ValueError(f"{self.measured}: expected `… at `0123abc`, machine`, {IN_CI!r} or {UNKNOWN!r}")
        return found[2] or found[1]


def promises() -> list[Promise]:
    rows = (row for row in table_rows(PAGE, "## What it promises"))
    return [
        Promise(text, command.strip("`"), takes, measured, tuple(paths.strip("`").split()))
        for text, command, takes, measured, paths in rows
    ]


def changed_since(root: Path, commit: str, paths: Sequence[str]) -> Iterator[str]:
    """The files below `paths` whose code isn't what it was at `commit`: comments and docstrings don't count.

    Raises CalledProcessError if there is no such commit.
    """
    for name in _git(root, "diff", "--name-only", commit, "--", *paths).splitlines():
        if not name.endswith(".py") or _code(_then(root, commit, name)) != _code(_now(root / name)):
            yield name


def _then(root: Path, commit: str, name: str) -> str | None:
    there = _git(root, "ls-tree", "--name-only", commit, "--", name)
    return _git(root, "show", f"{commit}:{name}") if there else None


def _now(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def _code(text: str | None) -> str | None:
    if text is None:
        return None
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _git(root: Path, *arguments: str) -> str:
    run = subprocess.run(("git", *arguments), cwd=root, check=True, capture_output=True, text=True)
    return run.stdout


def history_is_whole(root: Path) -> bool:
    """Whether `root` is a checkout with all commits: a source archive and a shallow clone are none."""
    try:
        return _git(root, "rev-parse", "--is-shallow-repository").strip() == "false"
    except (OSError, subprocess.CalledProcessError):
        return False
