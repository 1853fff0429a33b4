"""Keeps the services running: each one that ends is started again, whatever the others do."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from local_stack.restarts import PAUSES, Restarts
from local_stack.services import Service
from local_stack.start_log import StartLog
from local_stack.supervision import State, Supervisor
from wiki_common.settings import WRONG_SETTINGS

_SHOWN_LINES = 15
_SEARCHED_LINES = 60


class CannotStart(Exception):
    """A service can't be started, and the others are of no use without it or its settings are wrong."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Upkeep:
    """Starts the services of `supervisor`, and starts them again after growing pauses.

    What happens is told by `say`: once for a failure and once when it is over, not for each attempt between.
    """

    def __init__(
        self,
        services: Iterable[Service],
        supervisor: Supervisor,
        say: Callable[[str], None],
        *,
        logs: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services = {service.name: service for service in services}
        self._supervisor = supervisor
        self._say = say
        self._clock = clock
        self._restarts = {name: Restarts() for name in self._services}
        self._logs = {name: StartLog(logs / f"{name}.log") for name in self._services}
        self._started: dict[str, float] = {}
        self._proven: set[str] = set()
        self._advised: dict[str, str] = {}

    def start(self, service: Service) -> None:
        """Start a service; it is not awaited."""
        now = self._clock()
        self._logs[service.name].mark()
        self._started[service.name] = now
        self._restarts[service.name].started(now)
        self._supervisor.start(service.name)

    def is_ready(self, service: Service) -> None:
        """It has been ready in this run: what ends it from now on may be transient."""
        self._proven.add(service.name)

    def seconds_since_start(self, service: Service) -> float:
        """Since its last start."""
        return self._clock() - self._started[service.name]

    def look(self) -> None:
        """Start again what has ended, once its pause is over. Raises CannotStart."""
        states = self._supervisor.states()
        for name in list(self._started):
            service = self._services[name]
            if name in states and not service.one_shot:
                self._keep(service, states[name])

    def _keep(self, service: Service, state: State) -> None:
        restarts, now = self._restarts[service.name], self._clock()
        if restarts.is_due(now) and self._is_prepared(service):
            self.start(service)
        elif not restarts.waits and state.has_ended:
            restarts.ended(now, from_outside=state.from_outside)
            self._tell(service, state)
        elif restarts.recovers(now):
            self._proven.add(service.name)
            self._advised.pop(service.name, None)
            self._say(f"{service.name} runs again")

    def _tell(self, service: Service, state: State) -> None:
        failures, name = self._restarts[service.name].failures, service.name
        advice = self._advice(service)
        if reason := self._final(service, state, told=bool(advice)):
            self._say_last_lines(service, state)
            raise CannotStart(state.exit_code if state.exit_code == WRONG_SETTINGS else 1, advice or reason)
        if failures == 0:
            self._say(f"{name} {state.ending}, and is started again")
        if failures == 1:
            self._say_last_lines(service, state)
            self._say(
                f"{name} is started again in {PAUSES[0]:.0f} s, and while that fails, after longer and longer"
                f" pauses of up to {PAUSES[-1]:.0f} s; everything else goes on"
            )
        if advice and advice != self._advised.get(name):
            self._advised[name] = advice
            self._say(advice)

    def _final(self, service: Service, state: State, *, told: bool) -> str | None:
        """Why no other attempt is made; None if one is."""
        if service.name in self._proven:
            return None
        if state.exit_code == WRONG_SETTINGS:
            return f"{service.name} refuses its settings, its last lines are above"
        attempts = self._restarts[service.name].own_failures
        if service.first_attempts is not None and (told or attempts >= service.first_attempts):
            return f"{service.name} can't be kept running, its last lines are above"
        return None

    def _is_prepared(self, service: Service) -> bool:
        """Whether what runs before each start has run since the service's end; starts that if not."""
        if service.prepared_by is None:
            return True
        preparation = self._services[service.prepared_by]
        state = self._supervisor.states().get(preparation.name)
        if state is None or not state.has_ended:
            return False
        if self._started[preparation.name] < self._restarts[service.name].ended_at:
            self.start(preparation)
            return False
        if advice := self._advice(preparation):
            self._say(advice)
            self._logs[preparation.name].mark()
        return True

    def _advice(self, service: Service) -> str:
        text = "\n".join(self._logs[service.name].last_lines(_SEARCHED_LINES))
        return "\n".join(advice for sign, advice in service.advice.items() if sign in text)

    def _say_last_lines(self, service: Service, state: State) -> None:
        lines = (f"  {line}" for line in self._logs[service.name].last_lines(_SHOWN_LINES))
        self._say("\n".join([*lines, f"{service.name} {state.ending}"]))
