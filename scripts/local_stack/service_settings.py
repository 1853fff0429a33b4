"""All settings of a run, asked before any service starts: run-local's own, and each service's reading."""

import os
from collections.abc import Callable
from functools import partial

from local_stack import settings as run_local
from stream_simulator import settings as simulator
from wiki_common.misspelt import misspelt
from wiki_common.settings import InvalidSettings, read_settings
from wiki_consumer.settings import Settings as ConsumerSettings
from wiki_producer.settings import Settings as ProducerSettings
from wiki_web.settings import Settings as WebSettings


def problems(*, simulate: bool) -> list[str]:
    """A line for each setting that is wrong, once also if several services say it."""
    readers: list[Callable[[], object]] = [
        partial(run_local.read_settings, simulate=simulate),
        *(partial(read_settings, each) for each in (ProducerSettings, ConsumerSettings, WebSettings)),
    ]
    if simulate:
        readers.append(partial(simulator.read_settings, []))
    lines = []
    for read in readers:
        try:
            read()
        except (InvalidSettings, simulator.InvalidSettings) as error:
            lines += str(error).splitlines()
    return list(dict.fromkeys(lines))


def almost_settings() -> list[str]:
    """A line for each variable that is almost one of run-local or of the simulator; services say theirs."""
    return misspelt(os.environ, run_local.Settings, simulator.Settings)


def producer() -> ProducerSettings:
    """Raises InvalidSettings."""
    return read_settings(ProducerSettings)
