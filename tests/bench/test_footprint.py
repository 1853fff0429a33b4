"""What everything takes, as tables."""

from pathlib import Path

import pytest

from bench.test_report import cells
from benchmarks import footprint
from benchmarks.figures import Figure
from benchmarks.footprint import Footprint, figures, tables

RUNS = [
    Footprint("duckdb", 20.04, {"web": 0.011}, {"web": 150_000_000}, {"data": 2_000_000}),
    Footprint(
        "spark",
        30.0,
        {"web": 0.2, "browser": 9.0},
        {"web": 850_000_000, "browser": 400_000_000},
        {"data": 3_000_000},
    ),
]


def test_each_part_has_a_row_and_all_together_one() -> None:
    start, parts, images = tables(RUNS, {"wiki-live-top/web:spark": 1_234_000_000}).split("\n\n")
    assert [row["start to first row, s"] for row in cells(start)] == ["20.0", "30.0"]
    by_part = {row["part"]: row for row in cells(parts)}
    assert by_part["web"]["spark: memory, MB"] == "850"
    assert by_part["producer"]["spark: memory, MB"] == "0"
    assert by_part["**together**"]["spark: cores"] == "0.20"
    assert cells(images) == [{"image": "wiki-live-top/web:spark", "MB": "1,234"}]


def test_figures_are_of_the_pipeline_alone() -> None:
    *_, start, memory, cores, image = figures(RUNS, {"wiki-live-top/web:spark": 1_234_000_000})
    assert start == Figure("spark: start to first row", "s", (30.0,))
    assert memory == Figure("spark: memory", "MB", (850.0,))
    assert cores == Figure("spark: processor", "cores", (0.2,))
    assert image.values == (1234.0,)


def test_without_images_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert footprint.images() == {}
    assert tables(RUNS, footprint.images()).endswith("Docker has no images of ours here.")


def test_images_are_those_of_the_compose_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\ncase "$4" in *web:*) echo 7 ;; *) exit 1 ;; esac\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert footprint.images() == {"wiki-live-top/web:spark": 7}
