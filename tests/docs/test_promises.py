"""docs/promises.md: each command exists, and no figure is older than the code that it speaks of."""

import ast
import os
import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from docs.pages import ROOT, text_of
from docs.promises import IN_CI, PAGE, UNKNOWN, Promise, changed_since, history_is_whole, promises

ALL = promises()
TESTS = [promise for promise in ALL if promise.words[0] == "./scripts/test"]
MEASURING = ("./scripts/bench", "./scripts/soak")
"""Commands that CI doesn't run: their figures are of a machine that does nothing else."""
each_promise = pytest.mark.parametrize("promise", ALL, ids=lambda promise: promise.text)


def marks(promise: Promise) -> str:
    """What `-m` chooses."""
    return dict(pairwise(promise.words)).get("-m", "not slow")


def places(promise: Promise) -> list[str]:
    """The files, folders and tests that it names."""
    return [word for word in promise.words[1:] if word.startswith("tests")]


def slow_by_name(file: Path) -> dict[str, bool]:
    """The names of its tests, and whether each is slow, or all of them are."""
    body = ast.parse(text_of(file)).body
    all_slow = any(
        isinstance(node, ast.Assign) and re.match(r"pytestmark = .*\bpytest\.mark\.slow\b", ast.unparse(node))
        for node in body
    )
    functions = [
        node
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    return {
        each.name: all_slow or "pytest.mark.slow" in map(ast.unparse, each.decorator_list)
        for each in functions
    }


CHOICES = {"not slow": {False}, "slow": {True}, "slow or not slow": {False, True}}
"""Whether a test that is run may be slow."""


def selected(place: str, choice: str) -> list[str]:
    """The tests of a file or a folder, or the one that is meant of a file, that a choice by `-m` leaves."""
    path, _, meant = place.partition("::")
    files = (ROOT / path).rglob("test_*.py") if (ROOT / path).is_dir() else [ROOT / path]
    tests = {name: slow for file in files for name, slow in slow_by_name(file).items()}
    return [name for name, slow in tests.items() if slow in CHOICES[choice] and meant in ("", name)]


@pytest.mark.parametrize("promise", TESTS, ids=lambda promise: promise.text)
def test_each_test_that_is_named_is_one_that_the_command_runs(promise: Promise) -> None:
    assert places(promise)
    for place in places(promise):
        assert selected(place, marks(promise)), place
    assert set(promise.words[1:]) <= {*places(promise), "-m", marks(promise)}


@pytest.mark.parametrize(
    ("place", "choice", "found"),
    [
        ("tests/consumer/test_kills.py", "slow", 1),
        ("tests/consumer/test_kills.py", "not slow", 0),
        ("tests/web/test_several_pages.py", "not slow", 0),
        ("tests/docs/test_promises.py::test_nothing", "not slow", 0),
        ("tests/web/browser/test_top.py::test_text_of_strangers_is_text", "slow or not slow", 1),
    ],
)
def test_only_what_a_command_runs_is_selected(place: str, choice: str, found: int) -> None:
    assert len(selected(place, choice)) == found


@each_promise
def test_each_script_and_each_of_its_options_exists(promise: Promise) -> None:
    script, *arguments = promise.words
    assert script.startswith("./scripts/")
    assert os.access(ROOT / script, os.X_OK)
    if promise in TESTS:
        return
    text = text_of(ROOT / script)
    parts = [
        argument
        for argument in arguments
        if re.search(rf"^  .*\b{re.escape(argument)}\b.*\) ", text, re.MULTILINE)
    ]
    shared = [ROOT / "scripts/benchmarks/command.py"] if parts else []
    code = text + "".join(map(text_of, [*_modules(text, parts), *shared]))
    for argument in arguments:
        value_of = arguments[arguments.index(argument) - 1]
        is_value = not argument.startswith("-") and value_of.startswith("--")
        assert argument in parts or is_value or f'"{argument}"' in code, argument


def _modules(script: str, parts: list[str]) -> list[Path]:
    """The files of the module that a script runs, whose name may be its first argument."""
    (module,) = re.findall(r'python3? -m "?([\w.$]+)', script)
    place = ROOT / "scripts" / module.replace("$part", "".join(parts)).replace(".", "/")
    return list(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


@each_promise
def test_each_promise_has_a_time_and_a_figure_or_says_that_it_has_none(promise: Promise) -> None:
    assert re.fullmatch(rf"\d+ s|a minute|\d+ minutes|{UNKNOWN}", promise.takes), promise.takes
    assert (promise.figure_of is None) == (promise.measured in (IN_CI, UNKNOWN))
    for path in promise.paths:
        assert (ROOT / path).exists()
    assert bool(promise.paths) == (promise.measured != IN_CI), "a figure says what it speaks of"
    assert (promise.measured == IN_CI) == (promise.words[0] not in MEASURING)


@each_promise
def test_no_figure_is_older_than_the_code_that_it_speaks_of(promise: Promise) -> None:
    if promise.figure_of is None:
        return
    if not history_is_whole(ROOT):
        pytest.skip("no checkout with its whole history")
    changed = list(changed_since(ROOT, promise.figure_of, promise.paths))
    assert not changed, f"measure again, or write {UNKNOWN!r}"


def test_what_matters_most_is_promised() -> None:
    assert len(ALL) >= 12
    assert {"lost", "twice", "old", "once", "run:", "port", "setting", "upgrade", "quiet"} <= set(
        " ".join(promise.text for promise in ALL).replace(",", "").split()
    )
    assert "MAX_EVENT_AGE" in text_of(PAGE).split("## What it doesn't promise")[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code/a.py").write_text(
        '"""It adds."""\n\n\ndef add(a, b):\n    return a + b\n', encoding="utf-8"
    )
    (tmp_path / "code/a.sql").write_text("SELECT 1\n", encoding="utf-8")
    (tmp_path / "page.md").write_text("1\n", encoding="utf-8")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b")
    for arguments in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "first")):
        subprocess.run((*git, *arguments), cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "text", "stale"),
    [
        ("page.md", "2\n", False),
        ("code/a.py", '"""It sums."""\n\n# why\ndef add(a, b):\n    return (a + b)\n', False),
        ("code/a.py", '"""It adds."""\n\n\ndef add(a, b):\n    return a - b\n', True),
        ("code/b.py", "", True),
        ("code/a.sql", "SELECT 2\n", True),
    ],
)
def test_a_figure_is_stale_once_the_code_that_it_speaks_of_does_something_else(
    checkout: Path, file: str, text: str, stale: bool
) -> None:
    (checkout / file).write_text(text, encoding="utf-8")
    subprocess.run(("git", "add", "."), cwd=checkout, check=True)
    assert list(changed_since(checkout, "HEAD", ["code"])) == ([file] if stale else [])


def test_a_commit_that_is_none_is_told(checkout: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        list(changed_since(checkout, "0123abc", ["code"]))


def test_without_its_history_nothing_can_be_told(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shallow = tmp_path_factory.mktemp("shallow")
    subprocess.run(("git", "clone", "--quiet", "--depth=1", checkout.as_uri(), shallow), check=True)
    assert history_is_whole(checkout)
    assert not history_is_whole(shallow)
    assert not history_is_whole(tmp_path_factory.mktemp("archive"))


@pytest.mark.parametrize(
    ("measured", "commit"),
    [
        ("3.1 s (p95) at `0123abc`, 2 cores", "0123abc"),
        ("3.1 s at `0123abc`, still so at `4567def`, 2 cores", "4567def"),
        (IN_CI, None),
        (UNKNOWN, None),
    ],
)
def test_a_figure_names_its_commit(measured: str, commit: str | None) -> None:
    assert Promise("", "./scripts/bench web", "1 s", measured, ()).figure_of == commit


@pytest.mark.parametrize("measured", ["3 s", "3 s at 0123abc, 2 cores", "3 s at `0123abc`", ""])
def test_a_figure_without_commit_or_machine_is_none(measured: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        _ = Promise("", "./scripts/bench web", "1 s", measured, ()).figure_of
