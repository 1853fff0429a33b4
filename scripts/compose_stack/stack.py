"""The demo stack as a Compose project of its own, driven through the docker command."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

FILES = ("compose.yaml", "compose.demo.yaml", "tests/compose/compose.ledger.yaml")
_OF_DOCKER = ("PATH", "HOME", "TMPDIR", "DOCKER_", "SSH_", "XDG_", "http_proxy", "https_proxy", "no_proxy")


class Failure(Exception):
    """What does not hold, with what was seen."""


def run(*argv: str, timeout: float = 120, env: Mapping[str, str] | None = None) -> str:
    """The command's output. Raises Failure with its last words if it ends with an error or not in time."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False, env=env)
    except subprocess.TimeoutExpired:
        raise Failure(f"{' '.join(argv)}: not within {timeout:g} s") from None
    if done.returncode != 0:
        said = f"{done.stdout}\n{done.stderr}".strip()[-2000:]
        raise Failure(f"{' '.join(argv)}: exit {done.returncode}: {said}")
    return done.stdout


def wait_until(condition: Callable[[], str | None], *, timeout: float, every: float = 0.5) -> float:
    """Seconds until `condition` gives None, not a reason; Failure with the last reason after `timeout`."""
    began = time.monotonic()
    while (reason := condition()) is not None:
        if time.monotonic() - began > timeout:
            raise Failure(f"not within {timeout:g} s: {reason}")
        time.sleep(every)
    return time.monotonic() - began


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Stack:
    """Nothing runs until `up`; `remove` leaves nothing of the project but its images.

    `files` are taken beside FILES, and `settings` are what their variables are.
    """

    def __init__(self, files: Sequence[str] = (), settings: Mapping[str, str] | None = None) -> None:
        self._files = (*FILES, *files)
        self.project = f"compose-test-{os.getpid()}"
        self.port = _free_port()
        # Neither a .env nor the settings of the user's shell are part of the test.
        self._env = {name: os.environ[name] for name in os.environ if name.startswith(_OF_DOCKER)}
        self._env |= {"PUBLISH_ADDRESS": "127.0.0.1", "WEB_PORT": str(self.port), **(settings or {})}
        self._compose = ["docker", "compose", "--env-file", os.devnull, "-p", self.project]
        for file in self._files:
            self._compose += ["-f", file]

    def compose(self, *arguments: str, timeout: float = 300) -> str:
        return run(*self._compose, *arguments, timeout=timeout, env=self._env)

    def services(self) -> list[str]:
        return self.compose("config", "--services").split()

    def choose_engine(self, engine: str) -> None:
        """The web's engine from the next `build` and `up` on."""
        self._env["WEB_ENGINE"] = engine

    def build(self) -> None:
        self.compose("build", "--quiet", timeout=1800)

    def diagnose(self) -> str:
        """What the doctor says; Failure if it finds a problem."""
        where = {
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": ":".join(self._files),
            "COMPOSE_ENV_FILES": os.devnull,
        }
        return run("scripts/doctor", "--compose", env=self._env | where)

    def up(self) -> None:
        self.compose("up", "--detach", "--no-build")

    def scale(self, service: str, containers: int) -> None:
        self.compose("up", "--detach", "--no-build", "--scale", f"{service}={containers}")

    def remove(self) -> None:
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "10")

    def container(self, service: str) -> str:
        """The name of the service's only or first container."""
        return f"{self.project}-{service}-1"

    def inspect(self, service: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(run("docker", "inspect", self.container(service)))[0]
        return found

    def not_healthy(self, services: Sequence[str]) -> str | None:
        """Which of `services` is not healthy and what its check said last; None if all are."""
        for service in services:
            state = self.inspect(service)["State"]
            health = state.get("Health", {"Status": "has no check", "Log": None})
            if state["Status"] != "running" or health["Status"] != "healthy":
                said = (health["Log"] or [{"Output": "nothing yet"}])[-1]["Output"].strip()
                return f"{service} is {state['Status']}, {health['Status']}: {said}"
        return None

    def kill_main_process(self, service: str) -> None:
        """SIGKILL to what the container's init runs, from inside, so that the restart policy acts."""
        before = self.inspect(service)["State"]["StartedAt"]
        # Its exit code says nothing: its container ends while it runs.
        subprocess.run(
            [
                "docker",
                "exec",
                self.container(service),
                "bash",
                "-c",
                "kill -9 $(cat /proc/1/task/1/children)",
            ],
            capture_output=True,
            timeout=60,
            check=False,
        )
        wait_until(
            lambda: (
                None
                if self.inspect(service)["State"]["StartedAt"] != before
                else f"{service} did not restart"
            ),
            timeout=60,
        )

    def read_file(self, service: str, path: str) -> str:
        return run("docker", "exec", self.container(service), "cat", path)
