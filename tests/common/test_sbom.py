"""A bill of materials has what its image gets, and is one by CycloneDX's own schema."""

import json
import re
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import bill_of_materials
from common.test_locks import pins
from compose.files import SERVICE_FOLDERS

LISTED = """
The following files have been resolved:
   org.example:one:jar:1.2:compile -- module one
   org.example.two:two_2.13:jar:shaded:4.0:runtime
   org.example:for-tests:jar:1:test
"""


@pytest.fixture
def jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("one-1.2.jar", "two_2.13-4.0-shaded.jar"):
        (tmp_path / name).write_bytes(name.encode())
    monkeypatch.setattr(bill_of_materials, "JARS", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("jars")
@pytest.mark.parametrize("image", ["spark-consumer", "web-duckdb"])
def test_it_is_valid_and_has_each_pin_with_its_hashes(image: str) -> None:
    document = bill_of_materials.bill(image, LISTED)
    version = SchemaVersion.from_version(document["specVersion"])
    assert JsonStrictValidator(version).validate_str(json.dumps(document)) is None
    lock = bill_of_materials.ROOT / bill_of_materials.LOCKS[image]
    expected = {name: pin.version for name, pin in pins(lock.read_text(encoding="utf-8")).items()}
    packages = [each for each in document["components"] if each.get("purl", "").startswith("pkg:pypi/")]
    assert {each["name"]: each["version"] for each in packages} == expected
    base = [each for each in document["components"] if each["type"] == "container"]
    assert [(each["name"], each["version"]) for each in base] == [("python", "3.11-slim-bookworm")]
    assert set(bill_of_materials.LOCKS) >= {folder.name for folder in SERVICE_FOLDERS}
    found = {each["purl"] for each in document["components"] if each.get("purl", "").startswith("pkg:maven/")}
    assert (len(found) > 0) == (image == "spark-consumer")


def test_jars_are_those_that_run_with_their_hashes(jars: Path) -> None:
    one, two = bill_of_materials.jars(LISTED, jars)
    assert one["purl"] == "pkg:maven/org.example/one@1.2?type=jar"
    assert (two["group"], two["name"], two["version"]) == ("org.example.two", "two_2.13", "4.0")
    assert all(re.fullmatch("[0-9a-f]{64}", each["hashes"][0]["content"]) for each in (one, two))
