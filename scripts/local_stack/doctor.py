"""Runs the doctors of all services with the settings that run-local gives them: scripts/doctor."""

import argparse
import os
import subprocess
import sys

from local_stack import service_settings, services, state_lock
from local_stack.settings import Settings, read_settings
from wiki_common.doctor.finding import Finding, note, problem
from wiki_common.settings import WRONG_SETTINGS, InvalidSettings

PROBLEM = 1


def _environments(settings: Settings) -> dict[str, dict[str, str]]:
    """Of each service's package."""
    common = services.environment(settings)
    return {
        "wiki_producer": common | {"METRICS_PORT": str(settings.producer_metrics_port)},
        "wiki_consumer": common | {"METRICS_PORT": str(settings.consumer_metrics_port)},
        "wiki_web": common,
    }


def _other_run(settings: Settings) -> Finding | None:
    """What to say where a run-local is at work, but not the one that was asked about."""
    other = settings.model_copy(update={"simulate": not settings.simulate})
    if state_lock.is_held(settings.state) or not state_lock.is_held(other.state):
        return None
    with_or_without = "with" if other.simulate else "without"
    command = f"./scripts/doctor{' --simulate' * other.simulate}"
    return problem("run", f"what runs here was started {with_or_without} --simulate: ask {command}")


def main() -> int:
    """The worst exit code of all: 2 with a wrong setting, 1 with a problem, else 0."""
    parser = argparse.ArgumentParser(prog="doctor", add_help=False, allow_abbrev=False)
    parser.add_argument("--simulate", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    def say(found: Finding) -> None:
        print(found.to_json("run-local") if arguments.json else found.to_text("run-local"))

    try:
        settings = read_settings(simulate=arguments.simulate)
    except InvalidSettings as error:
        for line in str(error).splitlines():
            say(problem("settings", line))
        return WRONG_SETTINGS
    for line in service_settings.almost_settings():
        say(note("settings", line))
    if other := _other_run(settings):
        say(other)
        return PROBLEM
    worst = 0
    for package, env in _environments(settings).items():
        options = ["--running", *(["--json"] if arguments.json else [])]
        ended = subprocess.run(
            [sys.executable, "-m", f"{package}.doctor", *options], env=os.environ | env, check=False
        )
        worst = max(worst, ended.returncode if ended.returncode in (0, WRONG_SETTINGS) else PROBLEM)
    return worst


if __name__ == "__main__":
    sys.exit(main())
