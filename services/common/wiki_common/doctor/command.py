"""The command of each service's doctor: a line for each finding, and the exit code."""

import argparse
import logging
import os
import signal
from collections.abc import Callable, Iterable
from typing import Final

from wiki_common.doctor.bounded import findings_of
from wiki_common.doctor.finding import Check, Finding, Level, note, ok, problem
from wiki_common.logs import configure_logs
from wiki_common.misspelt import misspelt
from wiki_common.settings import WRONG_SETTINGS, InvalidSettings, SettingsT, read_settings

HAS_PROBLEMS: Final = 1


def examine(
    service: str,
    settings_type: type[SettingsT],
    checks: Callable[[SettingsT, bool], Iterable[Check]],
) -> int:
    """Print what the checks find; the exit code 0 if all is well, 1 with a problem, 2 with wrong settings.

    `checks` is told whether the service should be running here.
    """
    # Ctrl-C, or a reader that goes away, as `head` does, ends this without a word.
    for number in (signal.SIGPIPE, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    arguments = _arguments(service)
    _silence_logs()

    def say(finding: Finding) -> None:
        text = finding.to_json(service) if arguments.json else finding.to_text(service)
        print(text, flush=True)  # noqa: T201 - a command's output

    try:
        settings = read_settings(settings_type)
    except InvalidSettings as error:
        for line in str(error).splitlines():
            say(problem("settings", line))
        return WRONG_SETTINGS
    say(ok("settings", "they fit together"))
    for line in misspelt(os.environ, settings_type):
        say(note("settings", line))
    problems = 0
    for check in checks(settings, arguments.running):
        for finding in findings_of(check):
            say(finding)
            problems += finding.level is Level.PROBLEM
    return HAS_PROBLEMS if problems else 0


def _arguments(service: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"{service}'s doctor",
        description="Checks what the service needs, and says what to do. Exit code 0: all is well,"
        " 1: there is a problem, 2: a setting is wrong.",
    )
    parser.add_argument("--json", action="store_true", help="an object a line, for machines")
    parser.add_argument(
        "--running", action="store_true", help="the service should be running here: ask it as well"
    )
    return parser.parse_args()


def _silence_logs() -> None:
    """The check's finding says what went wrong; its libraries need not."""
    configure_logs("ERROR", "json")
    logging.disable(logging.CRITICAL)
