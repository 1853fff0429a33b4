"""`python -m wiki_producer`: exit 0 when told to stop, 1 when it can't go on, 2 for a wrong setting."""

import asyncio
import signal
import sys

import structlog

from wiki_producer.kafka_client import BrokerUnreachable
from wiki_producer.kafka_refusal import BrokerRefused
from wiki_producer.logs import configure_logs
from wiki_producer.publisher import PublishFailed
from wiki_producer.reconnect import StreamFatal
from wiki_producer.resume import TopicMissing, TopicUnreadable
from wiki_producer.service import run
from wiki_producer.settings import Settings, WrongSettings, read_settings
from wiki_producer.status_server import PortUsed


async def _run_until_signal(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await run(settings, stop)


def main() -> int:
    try:
        settings = read_settings()
    except WrongSettings as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    configure_logs(settings.log_level, settings.log_format)
    try:
        asyncio.run(_run_until_signal(settings))
    except (
        BrokerRefused,
        BrokerUnreachable,
        TopicMissing,
        TopicUnreadable,
        StreamFatal,
        PublishFailed,
        PortUsed,
    ) as error:
        structlog.get_logger("wiki_producer").error("producer ends", reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
