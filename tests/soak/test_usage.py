"""What is looked at, and when."""

from pathlib import Path

import pytest

from benchmarks.durations import Durations
from soak_run import usage
from soak_run.clock import SPEED
from soak_run.run import Plan
from soak_run.usage import Folders, Key, Measure

WEB, HISTORY = Key(Measure.MEMORY, "web"), Key(Measure.DISK, "history")


def test_a_look_takes_the_median_and_of_the_disk_the_most() -> None:
    samples = [{WEB: 1.0, HISTORY: 5.0}, {WEB: 9.0, HISTORY: 7.0}, {WEB: 2.0, HISTORY: 6.0}]
    assert usage.during(samples) == {WEB: 2.0, HISTORY: 7.0}


def test_each_folder_has_its_size(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "data", tmp_path / "state", tmp_path / "tmp")
    for folder in ("data/history", "data/changes", "state/broker", "tmp"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "data/history/file").write_bytes(b"x" * 3_000_000)
    found = {key.of: value for key, value in usage.now(folders).items() if key.measure is Measure.DISK}
    assert found.keys() == {"changes", "history", "broker", "tmp"}
    assert found["history"] == pytest.approx(3, abs=0.1)


def test_durations_are_those_between_two_looks() -> None:
    before, after = Durations(10, 5.0), Durations(14, 6.0)
    assert usage.of_durations({"batch": before}, {"batch": after}) == {Key(Measure.DURATION, "batch"): 0.25}
    with pytest.raises(ZeroDivisionError):
        usage.of_durations({"batch": before}, {"batch": before})


@pytest.mark.parametrize("minutes", [2, 4, 60, 600])
def test_a_run_has_time_left_between_its_looks(minutes: int) -> None:
    plan = Plan(minutes * 60, 50)
    assert plan.settling_at_least <= plan.settling
    assert plan.settling + 2 * (plan.look + plan.calm) < plan.seconds


def test_hours_are_deleted_and_a_look_is_an_hour_also_where_they_pass_at_two_fifths_of_the_speed() -> None:
    plan, slow = Plan(3600, 50), 0.4 * SPEED
    assert plan.settling * slow > 3.6 * 3600, "two hours are kept, and an hour is closed half an hour late"
    assert plan.look * slow >= 3600
