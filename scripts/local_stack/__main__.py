"""Run the whole pipeline on this machine; scripts/run-local sets up and then runs this."""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn, TextIO

from local_stack import ports, readiness, service_settings, services, state_lock
from local_stack.arguments import number_between
from local_stack.merged_log import MergedLog
from local_stack.services import Service
from local_stack.settings import read_settings
from local_stack.stack import Stack
from local_stack.supervision import Supervisor, new_folder
from wiki_common.settings import WRONG_SETTINGS
from wiki_producer.settings import Settings as ProducerSettings

MISSING: Final = 3
"""The exit code if what is asked for isn't installed, as that of scripts/setup."""


class Signals:
    """Counts the requests to end. A hang-up that was ignored at the start, as by nohup, stays ignored."""

    def __init__(self) -> None:
        self._count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._count += 1

    def count(self) -> int:
        return self._count


def _fail(code: int, *lines: str) -> NoReturn:
    for line in lines:
        print(f"run-local: {line}", file=sys.stderr)
    raise SystemExit(code)


def _arguments() -> argparse.Namespace:
    # Help is the entry script's: it works before anything is installed.
    parser = argparse.ArgumentParser(prog="run-local", add_help=False, allow_abbrev=False)
    parser.add_argument("--simulate", action="store_true")
    parser.add_argument("--observe", action="store_true")
    parser.add_argument("--for", type=number_between(0.1, 1e9), dest="seconds", metavar="SECONDS")
    return parser.parse_args()


def _locked(folder: Path) -> TextIO:
    """Keep two stacks from sharing broker data."""
    try:
        return state_lock.take(folder)
    except BlockingIOError:
        _fail(1, f"STATE_DIR={folder} is in use by another run-local: end that, or set STATE_DIR")
    except OSError as error:
        _fail(1, f"STATE_DIR={folder} can't be written to: {error.strerror}")


def _fresh_logs(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.log*"):
        old.unlink()
    return folder


def _require_prometheus() -> None:
    if shutil.which("prometheus") is None:
        _fail(
            MISSING,
            "--observe: prometheus is not on the PATH",
            "  Debian:  sudo apt install prometheus",
            "  macOS:   brew install prometheus",
        )


def _warn_unless_reachable(producer: ProducerSettings, log: MergedLog) -> None:
    url, reason = producer.wiki_stream_url, readiness.stream_answers(producer)
    if reason is None:
        log.say(f"reading {url}")
        return
    log.say(
        f"WARNING: {url} can't be read now: {reason}\n"
        "WARNING: the producer keeps trying; for a stream without a network: ./scripts/run-local --simulate"
    )


def main(adapted: Callable[[Service], Service] = lambda service: service) -> int:
    """The exit code; each service is started as `adapted` gives it."""
    signals = Signals()
    arguments = _arguments()
    if wrong := service_settings.problems(simulate=arguments.simulate):
        _fail(WRONG_SETTINGS, *wrong)
    if arguments.observe:
        _require_prometheus()
    settings = read_settings(simulate=arguments.simulate, observe=arguments.observe)
    os.environ |= services.environment(settings)
    # Another run with the same folder has its ports too: it is named, not each of them.
    lock = _locked(settings.state)
    if taken := ports.problems(settings.bind_address, settings.ports):
        _fail(1, *taken)
    logs = _fresh_logs(settings.state / "logs")
    folder = new_folder()
    stages = [[adapted(service) for service in stage] for stage in services.stages(settings, folder)]
    all_services = list(chain(*stages))
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    log = MergedLog(logs, [*(each.name for each in all_services), "supervisor"], sys.stdout, colour=colour)
    for line in service_settings.almost_settings():
        log.say(f"WARNING: {line}")
    if not settings.simulate:
        _warn_unless_reachable(service_settings.producer(), log)
    if settings.observe:
        log.say(f"metrics and alerts: http://{settings.prometheus}/alerts")
    supervisor = Supervisor(all_services, folder, logs=logs)
    with lock:
        return Stack(
            stages,
            supervisor,
            log,
            logs=logs,
            page_url=settings.page_url,
            stops=signals.count,
            seconds=arguments.seconds,
        ).run()


if __name__ == "__main__":
    sys.exit(main())
