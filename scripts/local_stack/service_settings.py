"""The services' own reading of their settings, asked before any of them starts."""

from local_stack.settings import WrongSettings
from stream_simulator import settings as simulator
from wiki_common.settings import InvalidSettings, read_settings
from wiki_consumer import settings as consumer
from wiki_producer.settings import Settings as ProducerSettings
from wiki_web import settings as web


def check(*, simulate: bool) -> str:
    """The producer's User-Agent. Raises WrongSettings with the line of the first service that refuses."""
    try:
        found = read_settings(ProducerSettings)
        consumer.read()
        web.read_settings()
        if simulate:
            simulator.read_settings([])
    except (
        InvalidSettings,
        consumer.InvalidSettings,
        web.SettingsError,
        simulator.InvalidSettings,
    ) as error:
        raise WrongSettings(str(error)) from None
    return found.wiki_user_agent
