"""The documentation names what is there: files, folders, modules, headings."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from docs.pages import PAGES, ROOT, anchors, headings, links, modules, paths, text_of

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
def test_each_path_that_is_named_exists(page: Path) -> None:
    missing = [path for path in paths(page) if not any(ROOT.glob(path))]
    assert not missing


@each_page
def test_each_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@each_page
def test_no_two_parts_have_the_same_heading(page: Path) -> None:
    """A link would lead to the first of them."""
    if page.name != "CHANGELOG.md":
        assert len(set(headings(page))) == len(headings(page))


@each_page
def test_each_module_that_is_run_exists(page: Path) -> None:
    missing = [module for module in modules(page) if find_spec(module) is None]
    assert not missing


@each_page
def test_each_metric_that_is_named_exists(page: Path) -> None:
    folders = {"producer": "producer", "consumer": "spark-consumer", "web": "web"}
    unknown = []
    for name, service in re.findall(r"`(wiki_(producer|consumer|web)_\w+)`", text_of(page)):
        code = "".join(text_of(file) for file in (ROOT / "services" / folders[service]).glob("**/*.py"))
        short = name.removeprefix(f"wiki_{service}_").removesuffix("_total")
        if not re.search(rf'"(wiki_{service}_)?{short}(_total)?"', code):
            unknown.append(name)
    assert not unknown


def test_the_readme_begins_with_two_commands_that_need_no_setup() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line.split("#")[0].strip() for line in lines if line.startswith("    ")]
    assert commands[:2] == ["./scripts/run-local --simulate", "./scripts/test"]
