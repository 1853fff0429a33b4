"""gunicorn around the app: one worker, so one engine, and many threads."""

import errno
import logging
import os
import socket
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from wiki_common.health.server import PortInUse
from wiki_common.process_end import end_at_once
from wiki_web.data.engines.engine import EngineDied
from wiki_web.data.refresher import end_process
from wiki_web.http.app import create_app
from wiki_web.http.open_files import connections, raise_limit, streams
from wiki_web.http.orphans import MASTER_CHECK_SECONDS
from wiki_web.http.slow_clients import Worker
from wiki_web.settings import Settings

# Seconds that a thread may compute before Python lets another run (its default is five times as long).
# A request changes threads several times, and each time it waits that long behind a refresh.
_SWITCH_INTERVAL = 0.001
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn's heartbeat file, which must not be on a disk


def check_port(settings: Settings) -> None:
    """PortInUse if WEB_PORT can't be listened on within a second: an orphaned worker may still hold it."""
    patience = time.monotonic() + 5 * MASTER_CHECK_SECONDS
    while (error := _listening_error(settings)) is not None:
        if error.errno != errno.EADDRINUSE or time.monotonic() > patience:
            raise PortInUse("WEB_PORT", settings.web_port, settings.bind_address, error.strerror)
        time.sleep(MASTER_CHECK_SECONDS / 4)


def _listening_error(settings: Settings) -> OSError | None:
    family = socket.AF_INET6 if ":" in settings.bind_address else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.bind_address, settings.web_port))
        except OSError as error:
            return error
    return None


class _Logger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's events through the service's own handler; requests are counted in /metrics, not logged."""

    def setup(self, cfg: object) -> None:
        self.cfg = cfg
        self._access_log_enabled = False
        # gunicorn writes all its events to one named "gunicorn.error".
        self.error_log = logging.getLogger("gunicorn")

    def exception(self, msg: str, *args: object, **kwargs: object) -> None:
        """Not for a client that doesn't read its answer: the service made no mistake."""
        if not isinstance(sys.exc_info()[1], TimeoutError):
            super().exception(msg, *args, **kwargs)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Run with `run()`, which ends the process: 0 after SIGTERM or SIGINT, else not 0."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        self._limit = raise_limit()
        address = self._settings.bind_address
        host = f"[{address}]" if ":" in address else address
        options: dict[str, Any] = {
            "bind": f"{host}:{self._settings.web_port}",
            "worker_class": Worker,
            "workers": 1,
            "threads": 16,
            "worker_connections": connections(self._limit),
            "backlog": 2048,
            "keepalive": 15,  # seconds; longer than between two polls of the page
            "timeout": 60,
            "graceful_timeout": 5,
            "limit_request_line": 8190,
            "limit_request_fields": 50,
            "limit_request_field_size": 8190,
            "logger_class": _Logger,
            "control_socket_disable": True,
            "worker_exit": _stop,
        }
        if sys.platform == "linux" and os.access(_SHARED_MEMORY, os.W_OK):
            options["worker_tmp_dir"] = str(_SHARED_MEMORY)
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """In the worker, after the fork: the engine and the threads live there."""
        sys.setswitchinterval(_SWITCH_INTERVAL)
        try:
            app = create_app(self._settings, most_streams=streams(self._limit))
        except EngineDied as error:
            end_process(str(error))
            raise
        app.extensions["streams"].start()
        app.extensions["refresher"].start()
        return app


def _stop(server: object, worker: Any) -> None:
    """At the worker's end, by an exception. gunicorn's master calls it, too, for one that is gone."""
    if worker.pid != os.getpid():
        return
    extensions = getattr(getattr(worker, "wsgi", None), "extensions", {})
    for name in ("streams", "refresher", "reasons"):
        if name in extensions:
            extensions[name].stop()
    # Threads that didn't stop in time may be in the middle of reading.
    ending = sys.exception()
    end_at_once(ending.code if isinstance(ending, SystemExit) and isinstance(ending.code, int) else 1)
