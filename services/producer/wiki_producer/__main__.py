"""`python -m wiki_producer`: exit 0 when told to stop, 1 when it can't go on, 2 for a wrong setting."""

import asyncio
import signal
import sys

import structlog

from wiki_common.health.server import PortInUse
from wiki_common.kafka.errors import BrokerRefused
from wiki_common.misspelt import warn_of_misspelt
from wiki_common.settings import read_settings_or_exit
from wiki_producer import logs
from wiki_producer.kafka.client import BrokerUnreachable
from wiki_producer.kafka.publisher import PublishFailed
from wiki_producer.kafka.topic_ends import TopicMissing, TopicUnreadable
from wiki_producer.service import run
from wiki_producer.settings import Settings
from wiki_producer.stream.reconnect import StreamFatal

_ENDINGS = (
    BrokerRefused,
    BrokerUnreachable,
    PortInUse,
    PublishFailed,
    StreamFatal,
    TopicMissing,
    TopicUnreadable,
)


async def _run_until_signal(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await run(settings, stop)


def main() -> int:
    settings = read_settings_or_exit(Settings)
    logs.configure(settings)
    warn_of_misspelt(Settings)
    try:
        asyncio.run(_run_until_signal(settings))
    except _ENDINGS as error:
        structlog.get_logger("wiki_producer").error("producer ends", reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
