"""The services' own reading of their settings, asked before any of them starts."""

from stream_simulator import settings as simulator
from wiki_common.settings import InvalidSettings, read_settings
from wiki_consumer import settings as consumer
from wiki_producer import settings as producer
from wiki_web.settings import Settings as WebSettings


def check(*, simulate: bool) -> str:
    """The producer's User-Agent. Raises InvalidSettings with the line of the first service that refuses."""
    try:
        found = producer.read_settings()
        consumer.read()
        read_settings(WebSettings)
        if simulate:
            simulator.read_settings([])
    except (
        producer.WrongSettings,
        consumer.InvalidSettings,
        InvalidSettings,
        simulator.InvalidSettings,
    ) as error:
        raise InvalidSettings(str(error)) from None
    return found.wiki_user_agent
