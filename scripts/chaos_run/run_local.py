"""`python -m chaos_run.run_local`: run-local, each of whose services has a clock of its own."""

import sys
from dataclasses import replace

from chaos_run import clocks
from local_stack.__main__ import main
from local_stack.services import Service


def _with_own_clock(service: Service) -> Service:
    return replace(service, env={**service.env, **clocks.environment(service.name)})


if __name__ == "__main__":
    sys.exit(main(_with_own_clock))
