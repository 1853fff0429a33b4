"""Each lock fits its requirements.in: told without an index, by what installed packages say they need."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = sorted([ROOT / "tests/requirements.txt", *ROOT.glob("services/*/requirements*.txt")])

_PIN = re.compile(r"^([a-z0-9.-]+)(?:\[.*\])?==([^ ;]+)(?: ; (.*?))? \\$", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    version: str
    marker: str | None

    @property
    def is_for_here(self) -> bool:
        return self.marker is None or Marker(self.marker).evaluate()


def pins(lock: str) -> dict[str, Pin]:
    return {
        canonicalize_name(name): Pin(version, marker or None) for name, version, marker in _PIN.findall(lock)
    }


def wanted(source: Path) -> Iterator[Requirement]:
    """What a requirements.in names, and those that it includes."""
    for line in source.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from wanted(source.parent / line.removeprefix("-r "))
        else:
            yield Requirement(line)


def problems(pinned: dict[str, Pin], requirements: list[Requirement]) -> Iterator[str]:
    """What isn't pinned though it is needed, or not as it is needed; and pins that nothing needs."""
    needed = set()
    seen = set()
    todo = [(requirement, "") for requirement in requirements]
    while todo:
        requirement, extra = todo.pop()
        if (str(requirement), extra) in seen:
            continue
        seen.add((str(requirement), extra))
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        pin = pinned.get(name)
        if pin is None or not requirement.specifier.contains(pin.version, prereleases=True):
            yield f"{requirement} is needed, pinned is {pin}"
            continue
        needed.add(name)
        further = [Requirement(text) for text in requires(name) or ()]
        todo += [(each, of) for each in further for of in ("", *requirement.extras)]
    yield from (
        f"nothing needs {name}" for name, pin in pinned.items() if name not in needed and pin.is_for_here
    )


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_a_lock_has_what_is_needed_and_nothing_else(lock: Path) -> None:
    pinned = pins(lock.read_text(encoding="utf-8"))
    assert pinned
    assert list(problems(pinned, list(wanted(lock.with_suffix(".in"))))) == [], "run ./scripts/pin"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_each_pin_has_hashes_and_the_version_that_the_tests_have(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert pins(text).items() <= pins((ROOT / "tests/requirements.txt").read_text(encoding="utf-8")).items()
    blocks = re.split(r"\n(?=[a-z])", text.strip())
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert len(blocks) == len(pins(text))
    assert "://" not in text


def test_a_lock_that_is_behind_is_told() -> None:
    pinned = pins("flask==3.0.0 \\\n    --hash=sha256:0\nsix==1.17.0 \\\n    --hash=sha256:0\n")
    told = list(problems(pinned, [Requirement("flask~=3.1.3"), Requirement("duckdb")]))
    assert [line.split(" ", 2)[0] for line in told] == ["duckdb", "flask~=3.1.3", "nothing", "nothing"]
