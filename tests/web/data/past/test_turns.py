"""One computation at a time, once for all who ask the same, and few who wait."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.processes import wait_until
from wiki_web.data.answer_cache import Busy
from wiki_web.data.past.turns import MOST, Turns

PATIENCE = 60.0


class Gate:
    """Counts what computes at once; each computation waits for `open`."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun: list[str] = []
        self.at_once = self.most_at_once = 0

    def compute(self, name: str) -> Callable[[], str]:
        def work() -> str:
            self.begun.append(name)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            assert self.open.wait(PATIENCE)
            self.at_once -= 1
            return name

        return work


def test_one_computes_while_the_others_wait() -> None:
    turns, gate = Turns[str](), Gate()
    with ThreadPoolExecutor(MOST) as pool:
        names = [str(number) for number in range(MOST)]
        found = [pool.submit(turns.result, name, gate.compute(name)) for name in names]
        wait_until(lambda: bool(gate.begun), timeout=PATIENCE, what="the first computes")
        gate.open.set()
        assert [each.result(PATIENCE) for each in found] == names
    assert gate.most_at_once == 1


def test_what_several_ask_at_once_is_computed_once() -> None:
    turns, gate = Turns[str](), Gate()
    with ThreadPoolExecutor(MOST) as pool:
        found = [pool.submit(turns.result, "A", gate.compute("A")) for _ in range(MOST)]
        wait_until(lambda: turns._waiting == MOST, timeout=PATIENCE, what="all wait")
        gate.open.set()
        assert [each.result(PATIENCE) for each in found] == ["A"] * MOST
    assert gate.begun == ["A"]


def test_more_than_may_wait_are_refused_at_once() -> None:
    turns, gate = Turns[str](), Gate()
    with ThreadPoolExecutor(MOST) as pool:
        found = [pool.submit(turns.result, "A", gate.compute("A")) for _ in range(MOST)]
        wait_until(lambda: turns._waiting == MOST, timeout=PATIENCE, what="all wait")
        with pytest.raises(Busy, match="waiting"):
            turns.result("B", gate.compute("B"))
        gate.open.set()
        for each in found:
            each.result(PATIENCE)
    assert turns.result("B", gate.compute("B")) == "B"


def test_who_comes_back_after_a_wait_in_vain_finds_what_was_computed_meanwhile() -> None:
    turns, gate = Turns[str](longest_wait=0.01), Gate()
    for _ in range(3):
        with pytest.raises(Busy, match="not computed within"):
            turns.result("A", gate.compute("A"))
    gate.open.set()
    wait_until(lambda: has_come(turns, "A", gate.compute("A"), "A"), timeout=PATIENCE, what="it is computed")
    assert gate.begun == ["A"]


def has_come(turns: Turns[str], key: str, compute: Callable[[], str], expected: str) -> bool:
    try:
        return turns.result(key, compute) == expected
    except Busy:
        return False


def test_those_who_never_come_back_do_not_fill_the_queue() -> None:
    turns, gate = Turns[str](longest_wait=0.01), Gate()
    for name in map(str, range(MOST)):
        with pytest.raises(Busy, match="not computed"):
            turns.result(name, gate.compute(name))
    with pytest.raises(Busy, match="are being computed"):
        turns.result("one more", gate.compute("one more"))
    gate.open.set()
    wait_until(
        lambda: has_come(turns, "one more", lambda: "found", "found"),
        timeout=PATIENCE,
        what="the queue has room",
    )


def test_a_failure_is_told_and_the_next_one_tries_again() -> None:
    turns = Turns[str]()

    def fail() -> str:
        raise RuntimeError("asked to")

    with pytest.raises(RuntimeError, match="asked to"):
        turns.result("A", fail)
    assert turns.result("A", lambda: "A") == "A"
