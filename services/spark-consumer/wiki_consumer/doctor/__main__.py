"""python -m wiki_consumer.doctor [--json] [--running]"""

import sys
from collections.abc import Iterator
from functools import partial

from wiki_common.doctor.command import examine
from wiki_common.doctor.finding import Check
from wiki_common.doctor.network import check_port
from wiki_common.doctor.running import check_health
from wiki_consumer.doctor.checkpoint import check_checkpoint
from wiki_consumer.doctor.volume import check_volume
from wiki_consumer.settings import Settings


def checks(settings: Settings, running: bool) -> Iterator[Check]:
    """The login to the brokers is the producer's doctor's: here it would take a JVM."""
    for server in settings.kafka_bootstrap_servers.split(","):
        yield Check(server, partial(check_port, server))
    yield Check("volume", partial(check_volume, settings.data_dir))
    yield Check("checkpoint", partial(check_checkpoint, settings, running=running))
    if running:
        yield Check("health", partial(check_health, settings.bind_address, settings.metrics_port))


def main() -> int:
    return examine("consumer", Settings, checks)


if __name__ == "__main__":
    sys.exit(main())
