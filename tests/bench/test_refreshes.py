"""Which windows of the page are measured."""

from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from benchmarks.live_volume import an_hour, live_volume
from benchmarks.refreshes import costs_by_window
from wiki_web.data.engines.duckdb_engine import DuckDBEngine


def test_a_window_that_the_engine_refuses_is_left_out_and_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = live_volume(tmp_path, 8, an_hour(Random(1), 1), 1)
    with closing(DuckDBEngine(most_held=10_000)) as engine:
        engine.most_counted = 10_000
        measured = costs_by_window("duckdb", engine, volume, refreshes=1, rate=1)
        assert [window for window, _ in measured] == ["30m"]
    said = capsys.readouterr().out
    for window in ("6h", "24h"):
        assert f"duckdb is not measured: window: {window} has " in said
