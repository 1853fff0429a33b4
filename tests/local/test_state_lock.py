from contextlib import closing
from pathlib import Path

import pytest

from local_stack import state_lock


def test_one_at_a_time_has_it_and_who_asks_does_not_take_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with closing(state_lock.take(folder)):
        assert state_lock.is_held(folder)
        with pytest.raises(BlockingIOError):
            state_lock.take(folder)
    assert not state_lock.is_held(folder)
    with closing(state_lock.take(folder)):
        assert state_lock.is_held(folder)


def test_nobody_has_that_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert not state_lock.is_held(tmp_path / "state")
    assert not (tmp_path / "state").exists()
