"""The services' own reading of their settings, asked before any of them starts."""

from local_stack.settings import WrongSettings
from stream_simulator import settings as simulator
from wiki_common.settings import InvalidSettings, read_settings
from wiki_consumer import settings as consumer
from wiki_producer import settings as producer
from wiki_web import settings as web


def check(*, simulate: bool) -> str:
    """The producer's User-Agent. Raises WrongSettings with the line of the first service that refuses."""
    try:
        found = producer.read_settings()
        read_settings(consumer.Settings)
        web.read_settings()
        if simulate:
            simulator.read_settings([])
    except (
        producer.WrongSettings,
        InvalidSettings,
        web.SettingsError,
        simulator.InvalidSettings,
    ) as error:
        raise WrongSettings(str(error)) from None
    return found.wiki_user_agent
