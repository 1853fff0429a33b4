"""What is done and said about services that end, with small scripts as services under a real supervisord."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from harness.processes import wait_until
from local_stack.restarts import PAUSES, RECOVERED_AFTER, WELL_AFTER
from local_stack.services import Service
from local_stack.supervision import Supervisor, new_folder
from local_stack.upkeep import CannotStart, Upkeep


class Watched:
    """Services that are kept up while the clock stands still, or is set forward by a test."""

    def __init__(self, folder: Path, services: list[Service]) -> None:
        self.services = services
        self.supervisor = Supervisor(services, new_folder(), logs=folder)
        self.said: list[str] = []
        self.now = 1000.0
        self._folder = folder
        self.upkeep = Upkeep(services, self.supervisor, self.said.append, logs=folder, clock=self._clock)

    def _clock(self) -> float:
        self.now += 0.001
        return self.now

    def starts(self, name: str) -> int:
        log = self._folder / f"{name}.log"
        return log.read_text().count("starts") if log.exists() else 0

    def start(self) -> None:
        wait_until(self.supervisor.answers, timeout=60, what="supervisord answers")
        for service in self.services:
            self.upkeep.start(service)
            self.await_end(service.name)

    def await_end(self, name: str) -> None:
        wait_until(lambda: self.supervisor.states()[name].has_ended, timeout=30, what=f"{name} ends")

    def await_start(self, name: str, starts: int) -> None:
        """Its start number `starts`."""
        wait_until(lambda: self.starts(name) == starts, timeout=30, what=f"{name} is started")

    def fail_again(self, name: str) -> None:
        """Let its pause pass, and wait until it has been started again and has ended again."""
        self.upkeep.look()
        starts = self.starts(name)
        self.now += PAUSES[-1]

        def is_started() -> bool:
            self.upkeep.look()
            return self.starts(name) > starts

        wait_until(is_started, timeout=30, what=f"{name} is started again")
        self.await_end(name)

    def close(self) -> None:
        self.supervisor.close()


Watch = Callable[..., Watched]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with ExitStack() as all_watched:
        yield lambda *services: all_watched.enter_context(closing(Watched(tmp_path, list(services))))


def _script(text: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", f"echo starts; {text}")


def test_a_failure_is_told_once_with_the_last_lines(watch: Watch) -> None:
    watched = watch(Service("one", _script("echo no port; exit 1")))
    watched.start()
    for _ in range(4):
        watched.fail_again("one")
    watched.upkeep.look()
    last_lines, again = watched.said
    assert last_lines.splitlines() == ["  starts", "  no port", "one ended with exit code 1"]
    assert again.startswith("one is started again in 1 s")


def test_it_is_not_started_again_before_its_pause_is_over(watch: Watch) -> None:
    watched = watch(Service("one", _script("exit 1")))
    watched.start()
    watched.upkeep.look()
    watched.now += PAUSES[0] - 0.1
    watched.upkeep.look()
    assert watched.supervisor.states()["one"].has_ended
    assert watched.starts("one") == 1


def test_its_recovery_is_told(watch: Watch, tmp_path: Path) -> None:
    file = tmp_path / "works"
    watched = watch(Service("one", _script(f"[ -e {file} ] && exec sleep 600; exit 1")))
    watched.start()
    watched.upkeep.look()
    file.touch()
    watched.now += PAUSES[0]
    watched.upkeep.look()
    watched.upkeep.look()
    assert len(watched.said) == 2
    watched.now += RECOVERED_AFTER
    watched.upkeep.look()
    assert watched.said[2:] == ["one runs again"]


def test_refused_settings_are_final_for_a_service_that_never_ran(watch: Watch) -> None:
    watched = watch(Service("one", _script("echo PORT=x: no; exit 2")))
    watched.start()
    with pytest.raises(CannotStart, match="one refuses its settings") as refused:
        watched.upkeep.look()
    assert refused.value.code == 2
    assert "  PORT=x: no" in watched.said[0]


def test_what_has_been_ready_is_never_given_up(watch: Watch) -> None:
    watched = watch(Service("one", _script("exit 2"), first_attempts=1))
    watched.start()
    watched.upkeep.is_ready(watched.services[0])
    for _ in range(3):
        watched.fail_again("one")


def test_what_the_others_need_is_given_up_after_its_attempts(watch: Watch) -> None:
    watched = watch(Service("one", _script("exit 1"), first_attempts=3))
    watched.start()

    def fail_often() -> None:
        for _ in range(3):
            watched.fail_again("one")

    with pytest.raises(CannotStart, match="one can't be kept running") as given_up:
        fail_often()
    assert (given_up.value.code, watched.starts("one")) == (1, 3)


@pytest.mark.parametrize("end", ["kill -KILL $$", "exit 143", "exit 0"])
def test_what_a_signal_ended_at_its_start_has_not_failed(watch: Watch, end: str) -> None:
    """However often: a JVM that is asked to end says 143, the others 0."""
    watched = watch(Service("one", _script(end), first_attempts=2))
    watched.start()
    for _ in range(4):
        watched.fail_again("one")
    watched.upkeep.look()
    assert watched.starts("one") == 5


def test_a_kill_of_what_ran_well_is_told_each_time_and_needs_no_longer_pause(
    watch: Watch, tmp_path: Path
) -> None:
    file = tmp_path / "end"
    until_told = f"while [ ! -e {file} ]; do sleep 0.05; done; rm {file}; kill -KILL $$"
    watched = watch(Service("one", _script(until_told)))
    wait_until(watched.supervisor.answers, timeout=60, what="supervisord answers")
    watched.upkeep.start(watched.services[0])
    for starts in range(1, 4):
        watched.await_start("one", starts)
        watched.now += WELL_AFTER
        file.touch()
        watched.await_end("one")
        watched.upkeep.look()
        watched.now += PAUSES[0]
        watched.upkeep.look()
    assert watched.said == ["one was killed, and is started again"] * 3


def test_the_time_since_its_start_begins_anew_with_each_start(watch: Watch) -> None:
    """By it a run gives up: what was killed while it started has all its time again."""
    watched = watch(Service("one", _script("kill -KILL $$")))
    watched.start()
    watched.now += 100
    assert watched.upkeep.seconds_since_start(watched.services[0]) > 100
    watched.fail_again("one")
    assert watched.upkeep.seconds_since_start(watched.services[0]) < 100


def test_advice_ends_the_attempts_of_what_the_others_need(watch: Watch) -> None:
    watched = watch(Service("one", _script("echo lost; exit 1"), first_attempts=3, advice={"lost": "Do so."}))
    watched.start()
    with pytest.raises(CannotStart, match=r"^Do so\.$"):
        watched.upkeep.look()


def test_advice_that_a_later_attempt_calls_for_is_told_once(watch: Watch, tmp_path: Path) -> None:
    file = tmp_path / "lost"
    watched = watch(
        Service("one", _script(f"[ -e {file} ] && echo all is lost; exit 1"), advice={"is lost": "Do so."})
    )
    watched.start()
    watched.fail_again("one")
    assert "Do so." not in watched.said
    file.touch()
    for _ in range(3):
        watched.fail_again("one")
    watched.upkeep.look()
    assert watched.said.count("Do so.") == 1


def test_its_preparation_runs_before_each_start_but_the_first(watch: Watch, tmp_path: Path) -> None:
    file = tmp_path / "prepared"
    preparation = Service(
        "init", _script(f"[ -e {file} ] || echo made; touch {file}"), one_shot=True, advice={"made": "Made."}
    )
    service = Service("one", _script(f"rm {file}; exit 1"), prepared_by="init")
    watched = watch(preparation, service)
    watched.start()
    watched.fail_again("one")
    watched.fail_again("one")
    assert watched.starts("init") == 3
    # Not for the first time, when it is no news.
    assert watched.said.count("Made.") == 2
