"""supervisord's configuration for the stack's services, and a client that starts, watches and stops them."""

import os
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from configparser import ConfigParser
from contextlib import suppress
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ProtocolError, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from local_stack import session
from local_stack.services import Service

# A process that ends within so many seconds has failed to start; the third time in a row it is given up.
_UP_AFTER = 30
_LOG_BYTES = 20_000_000
# A call to a supervisord that is not there yet, or ends meanwhile.
_UNANSWERED = (OSError, HTTPException, ProtocolError)


def configuration(services: Iterable[Service], *, folder: Path, logs: Path, password: str) -> ConfigParser:
    """Programs that start when told, in groups whose processes end together, one group after the other."""
    config = ConfigParser(interpolation=None)
    config["unix_http_server"] = {"file": f"{folder}/socket", "username": "run-local", "password": password}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    config["supervisord"] = {
        "logfile": f"{logs}/supervisor.log",
        "loglevel": "warn",
        "silent": "true",
        "pidfile": f"{folder}/pid",
        "childlogdir": str(logs),
    }
    if os.geteuid() == 0:
        config["supervisord"]["user"] = "root"
    groups: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for service in services:
        groups[service.stop_order, service.group].append(service.name)
        config[f"program:{service.name}"] = _program(service, logs)
    for (order, name), members in groups.items():
        # Groups of a high priority number stop first.
        config[f"group:{name}"] = {"programs": ",".join(members), "priority": str(1000 - order)}
    for section in config.values():
        for key, value in section.items():
            section[key] = value.replace("%", "%%")
    return config


def _program(service: Service, logs: Path) -> dict[str, str]:
    environment = [f"{name}={value}" for name, value in service.env.items()]
    return {
        "command": shlex.join(["/usr/bin/env", *environment, *service.argv]),
        "autostart": "false",
        "autorestart": "false" if service.one_shot else "true",
        "startsecs": "0" if service.one_shot else str(_UP_AFTER),
        # A JVM that is asked to end says 143; it is no warning.
        "exitcodes": "0" if service.one_shot else "0,143",
        "startretries": str(service.retries),
        "stopwaitsecs": str(service.stop_seconds),
        # Only the process itself is asked: a JVM that ends before its Python driver makes the driver fail.
        "stopasgroup": "false",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": f"{logs}/{service.name}.log",
        "stdout_logfile_maxbytes": str(_LOG_BYTES),
        "stdout_logfile_backups": "1",
    }


class Supervisor:
    """supervisord with the stack's services, none of them started yet.

    Its processes form one session, which ends with this process whatever ends this process.
    """

    def __init__(self, services: Iterable[Service], *, logs: Path) -> None:
        self._groups = {service.name: service.group for service in services}
        # A socket's path has about 100 characters at most, so it can't lie below the checkout.
        self._folder = folder = Path(tempfile.mkdtemp(prefix="run-local-"))
        password = secrets.token_hex(16)
        with (folder / "supervisord.conf").open("w", encoding="utf-8") as file:
            configuration(services, folder=folder, logs=logs, password=password).write(file)
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "local_stack.guard", f"{folder}/supervisord.conf"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._new_transport = partial(SupervisorTransport, "run-local", password, f"unix://{folder}/socket")

    @property
    def _rpc(self) -> Any:
        # A transport is of no use after a call that failed, so each call gets its own.
        return ServerProxy("http://run-local", transport=self._new_transport()).supervisor

    @property
    def runs(self) -> bool:
        return self._guard.poll() is None

    def answers(self) -> bool:
        """Whether supervisord takes commands yet."""
        with suppress(*_UNANSWERED):
            return bool(self._rpc.getState())
        return False

    def start(self, name: str) -> None:
        """Start a service; it is not awaited."""
        # A one-shot that has already ended again is no error here: its state tells.
        with suppress(Fault, *_UNANSWERED):
            self._rpc.startProcess(f"{self._groups[name]}:{name}", False)

    def states(self) -> dict[str, tuple[str, int]]:
        """Per service supervisord's name of its state, as in EXITED or FATAL, and its last exit code.

        Empty while supervisord does not answer.
        """
        with suppress(*_UNANSWERED):
            processes = self._rpc.getAllProcessInfo()
            return {each["name"]: (each["statename"], each["exitstatus"]) for each in processes}
        return {}

    def ask_to_stop(self) -> None:
        """Let supervisord end its processes, in order, and itself; `runs` tells when that is done."""
        with suppress(Fault, *_UNANSWERED):
            self._rpc.shutdown()

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
