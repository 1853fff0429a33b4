"""`python -m wiki_producer.topic_init` makes both topics; exit 1 if it can't, 2 for a wrong setting."""

import sys
import time
from typing import Final

import structlog

from wiki_common.kafka.errors import BrokerRefused
from wiki_common.settings import read_settings_or_exit
from wiki_producer import logs
from wiki_producer.kafka.client import BrokerUnreachable, connect_admin
from wiki_producer.kafka.topic_creation import TopicNotYet, TopicRefused, init_topics
from wiki_producer.settings import Settings

_PAUSE: Final = 1.0  # seconds

log = structlog.get_logger(__name__)


def main() -> int:
    settings = read_settings_or_exit(Settings)
    logs.configure(settings)
    timeout = settings.kafka_connect_timeout.total_seconds()
    servers = ",".join(settings.kafka_bootstrap_servers)
    log.info("waiting for the broker", servers=servers, seconds=timeout)
    until = time.monotonic() + timeout
    while True:
        try:
            _make_topics(settings, until - time.monotonic())
        except (BrokerRefused, BrokerUnreachable, TopicNotYet, TopicRefused) as error:
            if not isinstance(error, TopicNotYet) or time.monotonic() + _PAUSE > until:
                log.error("topics not made", reason=str(error))
                return 1
            log.warning("topics not made yet, trying again", reason=str(error))
            time.sleep(_PAUSE)
        else:
            return 0


def _make_topics(settings: Settings, seconds: float) -> None:
    admin = connect_admin(settings, int(seconds * 1000))
    try:
        init_topics(admin, settings)
    finally:
        admin.close()


if __name__ == "__main__":
    sys.exit(main())
