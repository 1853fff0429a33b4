"""The maintenance ended after each of its steps, and a reader that looks at each step."""

import shutil
from pathlib import Path

import pytest

from consumer.volumes import CLOSED, Volume, clean_up, contents


class Killed(BaseException):
    """Stands for a SIGKILL: no handler of errors sees it."""


def steps_of_a_whole_run(volume: Volume) -> list[str]:
    steps: list[str] = []
    clean_up(volume, steps.append)
    return steps


@pytest.mark.parametrize("which", ["volume", "continued", "with_gaps"])
def test_a_kill_after_any_step_loses_and_doubles_nothing(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    original: Volume = request.getfixturevalue(which)
    visible_at_first, gaps = original.what_a_reader_sees(), original.gaps_that_a_reader_sees()
    finished = original.copy_to(tmp_path / "finished")
    steps = steps_of_a_whole_run(finished)
    expected = contents(finished)
    assert {"history file written", "history file verified", "history file published"} <= set(steps)
    assert "raw file deleted" in steps

    for killed_after in range(1, len(steps) + 1):
        if steps[:killed_after].count(steps[killed_after - 1]) > 2:
            continue  # the same step for yet another file
        copy = original.copy_to(tmp_path / f"{killed_after}")
        left = killed_after

        def kill_at_its_turn(step: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed(step)

        with pytest.raises(Killed):
            clean_up(copy, kill_at_its_turn)
        seen = copy.what_a_reader_sees()
        assert seen >= visible_at_first, steps[killed_after - 1]
        assert set(seen.values()) <= {1}, steps[killed_after - 1]
        assert copy.gaps_that_a_reader_sees() == gaps, steps[killed_after - 1]

        assert clean_up(copy).failures == []
        assert contents(copy) == expected, steps[killed_after - 1]
        shutil.rmtree(copy.path)


def test_a_reader_sees_the_same_rows_at_each_step(volume: Volume) -> None:
    steps: list[str] = []

    def look(step: str) -> None:
        steps.append(step)
        assert volume.what_a_reader_sees() == volume.ids, step

    clean_up(volume, look)

    assert len(steps) > 4 * len(CLOSED)
