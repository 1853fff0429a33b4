"""The services' own reading of their settings, asked before any of them starts."""

from stream_simulator import settings as simulator
from wiki_common.settings import InvalidSettings, read_settings
from wiki_consumer.settings import Settings as ConsumerSettings
from wiki_producer.settings import Settings as ProducerSettings
from wiki_web.settings import Settings as WebSettings


def check(*, simulate: bool) -> str:
    """The producer's User-Agent. Raises InvalidSettings with the lines of the first service that refuses."""
    found = read_settings(ProducerSettings)
    read_settings(ConsumerSettings)
    read_settings(WebSettings)
    if simulate:
        try:
            simulator.read_settings([])
        except simulator.InvalidSettings as error:
            raise InvalidSettings(str(error)) from None
    return found.wiki_user_agent
