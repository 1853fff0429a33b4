"""The dashboard is as its source says, and fits on one screen."""

from pathlib import Path

import dashboard
from observe.promtool import assert_found
from observe.queries import DASHBOARD, metrics_of, panels, queries


def test_the_file_is_as_the_script_writes_it() -> None:
    assert DASHBOARD.read_text(encoding="utf-8") == dashboard.dashboard()
    assert DASHBOARD == dashboard.TARGET


def test_no_panel_lies_over_another_and_all_fit_on_one_screen() -> None:
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels())
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken)) == 24 * 25
    assert {x for x, _ in taken} == set(range(24))


def test_each_panel_says_what_it_means() -> None:
    assert all(panel["description"] for panel in panels())
    assert len({panel["title"] for panel in panels()}) == len(panels())


def test_the_names_of_metrics_are_found_in_a_query() -> None:
    query = 'sum by (le) (rate(wiki_a_bucket{record="oldest"}[5m])) / on (x) b or up{job=~"c|d"} == 0 and e'
    assert metrics_of(query) == {"wiki_a_bucket", "b", "e"}
    assert len({name for query in queries() for name in metrics_of(query)}) > 30


def test_the_page_is_as_far_behind_as_when_prometheus_read_it(tmp_path: Path) -> None:
    """What was read 14 seconds ago would else be orange with a page that is two seconds behind."""
    [behind] = [panel["targets"][0]["expr"] for panel in panels() if panel["title"] == "Behind"]
    expected = [{"labels": "{}", "value": 2}]
    test = {
        "interval": "15s",
        "input_series": [{"series": "wiki_web_as_of_timestamp_seconds", "values": "-2+15x240"}],
        "promql_expr_test": [{"expr": behind, "eval_time": "10m14s", "exp_samples": expected}],
    }
    assert_found(tmp_path, {"tests": [test]})
