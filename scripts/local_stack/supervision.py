"""supervisord's configuration for the stack's services, and a client that starts, watches and stops them."""

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from configparser import ConfigParser
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ProtocolError, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from local_stack import session
from local_stack.services import Service

_LOG_BYTES = 20_000_000
_LOGS = "%(here)s/logs"
_KILLED = -1
# A JVM that is asked to end says 143; it is no warning.
_ASKED_TO_END = (0, 143)
# A call to a supervisord that is not there yet, or ends meanwhile.
_UNANSWERED = (OSError, HTTPException, ProtocolError)


@dataclass(frozen=True)
class State:
    """What supervisord says of a process. `exit_code` is that of its last end, -1 after a signal."""

    has_ended: bool
    exit_code: int
    ending: str
    """How it ended, to follow its name."""

    @property
    def from_outside(self) -> bool:
        """Whether a signal ended it, or asked a service to end that doesn't by itself."""
        return self.exit_code in (_KILLED, *_ASKED_TO_END)


def configuration(services: Iterable[Service], *, password: str) -> ConfigParser:
    """Programs that start when told, in groups whose processes end together, one group after the other.

    Logs go to `logs` in the configuration's own folder: not every other path can be written into it.
    """
    config = ConfigParser(interpolation=None)
    config["unix_http_server"] = {"file": "%(here)s/socket", "username": "run-local", "password": password}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    config["supervisord"] = {
        "logfile": f"{_LOGS}/supervisor.log",
        "loglevel": "warn",
        "silent": "true",
        "pidfile": "%(here)s/pid",
        "childlogdir": _LOGS,
    }
    if os.geteuid() == 0:
        config["supervisord"]["user"] = "root"
    groups: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for service in services:
        groups[service.stop_order, service.group].append(service.name)
        config[f"program:{service.name}"] = _program(service)
    for (order, name), members in groups.items():
        # Groups of a high priority number stop first.
        config[f"group:{name}"] = {"programs": ",".join(members), "priority": str(1000 - order)}
    return config


def command_line(argv: Iterable[str]) -> str:
    """`argv` as supervisord reads it: a `%` is doubled, and no ` ;` or ` #` begins a comment."""
    # White space stands in single quotes there, which may end and begin again anywhere.
    return re.sub(r"(\s)(?=[;#])", r"\1''", shlex.join(argv)).replace("%", "%%")


def _program(service: Service) -> dict[str, str]:
    environment = [f"{name}={value}" for name, value in service.env.items()]
    return {
        "command": command_line(["/usr/bin/env", *environment, *service.argv]),
        "autostart": "false",
        # Upkeep starts again what ends: it knows of longer pauses than supervisord, and of the exit code.
        "autorestart": "false",
        "startsecs": "0",
        "startretries": "0",
        "exitcodes": "0" if service.one_shot else ",".join(map(str, _ASKED_TO_END)),
        "stopwaitsecs": str(service.stop_seconds),
        # Only the process itself is asked: a JVM that ends before its Python driver makes the driver fail.
        "stopasgroup": "false",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": f"{_LOGS}/{service.name}.log",
        "stdout_logfile_maxbytes": str(_LOG_BYTES),
        "stdout_logfile_backups": "1",
    }


def new_folder() -> Path:
    """A temporary folder, not below the checkout: a socket's path has about 100 characters at most."""
    return Path(tempfile.mkdtemp(prefix="run-local-"))


class Supervisor:
    """supervisord with the stack's services, none of them started yet.

    Its processes form one session, which ends with this process whatever ends this process.
    """

    def __init__(self, services: Iterable[Service], folder: Path, *, logs: Path) -> None:
        """`folder` is one of `new_folder`, and is removed at the end."""
        self._groups = {service.name: service.group for service in services}
        self._folder = folder
        password = secrets.token_hex(16)
        with (folder / "supervisord.conf").open("w", encoding="utf-8") as file:
            configuration(services, password=password).write(file)
        (folder / "logs").symlink_to(logs)
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "local_stack.guard", f"{folder}/supervisord.conf"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._new_transport = partial(SupervisorTransport, "run-local", password, f"unix://{folder}/socket")

    @property
    def runs(self) -> bool:
        return self._guard.poll() is None

    def answers(self) -> bool:
        """Whether supervisord takes commands yet."""
        with suppress(*_UNANSWERED):
            return bool(self._ask("getState"))
        return False

    def start(self, name: str) -> None:
        """Start a service; it is not awaited."""
        # A one-shot that has already ended again is no error here: its state tells.
        with suppress(Fault, *_UNANSWERED):
            self._ask("startProcess", f"{self._groups[name]}:{name}", False)

    def states(self) -> dict[str, State]:
        """By service; empty while supervisord does not answer."""
        with suppress(*_UNANSWERED):
            return {each["name"]: _state(each) for each in self._ask("getAllProcessInfo")}
        return {}

    def ask_to_stop(self) -> None:
        """Let supervisord end its processes, in order, and itself; `runs` tells when that is done."""
        with suppress(Fault, *_UNANSWERED):
            self._ask("shutdown")

    def _ask(self, method: str, *arguments: object) -> Any:
        # A transport is of no use after a call that failed, so each call gets its own.
        with closing(self._new_transport()) as transport:
            supervisor = ServerProxy("http://run-local", transport=transport).supervisor
            return getattr(supervisor, method)(*arguments)

    def close(self) -> list[int]:
        """Kill what still runs; returns the ids of processes that even that did not end."""
        if self._guard.stdin:
            self._guard.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._guard.wait(10)
        left = session.end(self._guard.pid)
        self._guard.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        return left


def _state(process: dict[str, Any]) -> State:
    code = process["exitstatus"]
    if process["statename"] == "FATAL":
        return State(True, 1, f"can't be started: {process['spawnerr']}")
    ending = "was killed" if code == _KILLED else f"ended with exit code {code}"
    return State(process["statename"] == "EXITED", code, ending)
