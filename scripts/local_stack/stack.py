"""The stack's life: its services started in order, watched, and ended."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from local_stack import readiness
from local_stack.merged_log import MergedLog
from local_stack.services import Check, Service
from local_stack.supervision import Supervisor
from local_stack.upkeep import CannotStart, Upkeep

_READY_WITHIN = 120
_STOPPED_WITHIN = 18


class Ended(Exception):
    """The stack is to end: with this exit code, and for this reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Stack:
    """Runs the stages' services until `stops` says so, one can't be started at all, or `seconds` have passed.

    `stops` counts the requests to end; the second one ends everything without waiting.
    """

    def __init__(
        self,
        stages: Sequence[Sequence[Service]],
        supervisor: Supervisor,
        log: MergedLog,
        *,
        logs: Path,
        page_url: str,
        stops: Callable[[], int],
        seconds: float | None,
    ) -> None:
        self._stages = stages
        self._supervisor = supervisor
        self._log = log
        self._upkeep = Upkeep(chain(*stages), supervisor, log.say, logs=logs)
        self._page_url = page_url
        self._stops = stops
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._has_data = False

    def run(self) -> int:
        """The exit code: 0 when the stack ended as asked, after a --for only if the page had data by then."""
        try:
            self._start()
            self._await_data()
            while True:
                self._watch()
        except (Ended, CannotStart) as end:
            self._log.say(f"{end}\nstopping")
            return end.code
        finally:
            self._stop()

    def _start(self) -> None:
        begin = time.monotonic()
        self._await(
            "the process supervisor",
            lambda: None if self._supervisor.answers() else "no answer yet",
            waited=lambda: time.monotonic() - begin,
        )
        for stage in self._stages:
            self._log.say(f"starting {', '.join(service.name for service in stage)}")
            for service in stage:
                self._upkeep.start(service)
            for service in stage:
                self._await(
                    service.name,
                    self._exit_check(service) if service.one_shot else service.ready,
                    waited=partial(self._upkeep.seconds_since_start, service),
                )
                if service.first_attempts is not None:
                    self._upkeep.is_ready(service)

    def _exit_check(self, service: Service) -> Check:
        def check() -> str | None:
            state = self._supervisor.states().get(service.name)
            if state is None or not state.has_ended:
                return "it still runs"
            if state.exit_code != 0:
                raise Ended(max(1, state.exit_code), f"{service.name} {state.ending}")
            return None

        return check

    def _await(self, what: str, check: Check, *, waited: Callable[[], float]) -> None:
        """`waited` tells the seconds since its start: one that was started again has all its time anew."""
        while reason := check():
            if waited() > _READY_WITHIN:
                raise Ended(1, f"{what} is not ready after {_READY_WITHIN} s: {reason}")
            self._watch()

    def _await_data(self) -> None:
        """Wait as long as it takes: a stream that can't be reached may come back."""
        mention_at = time.monotonic() + 60
        while reason := readiness.answers(f"{self._page_url}/readyz"):
            if time.monotonic() > mention_at:
                self._log.say(f"the page has no data yet: {reason}")
                mention_at += 60
            self._watch()
        self._has_data = True
        self._log.say(f"the page is ready: {self._page_url}/")

    def _watch(self) -> None:
        """Wait a moment, print what was logged, and raise Ended if there is a reason to."""
        time.sleep(0.25)
        self._log.pump()
        if self._stops():
            raise Ended(0, "asked to end")
        if not self._log.is_read:
            raise Ended(1, "nobody reads the log any more")
        if self._deadline is not None and time.monotonic() > self._deadline:
            if self._has_data:
                raise Ended(0, "the time is over")
            raise Ended(1, "the time is over, and the page has had no data")
        if not self._supervisor.runs:
            raise Ended(1, "the process supervisor has ended")
        self._upkeep.look()

    def _stop(self) -> None:
        self._supervisor.ask_to_stop()
        give_up = time.monotonic() + _STOPPED_WITHIN
        while self._supervisor.runs and time.monotonic() < give_up and self._stops() < 2:
            self._log.pump()
            time.sleep(0.1)
        left = self._supervisor.close()
        self._log.close()
        names = [service.name for service in chain(*self._stages)]
        self._log.say(f"not ended: {left}" if left else f"all have ended: {', '.join(names)}")
