"""What is said once about settings that are allowed but probably not meant."""

from typing import Final

from yarl import URL

from wiki_producer.settings import Settings
from wiki_producer.status.counts import Counts
from wiki_producer.stream.progress import Progress

ENOUGH_EVENTS: Final = 1_000
_WIKIMEDIA: Final = ".wikimedia.org"


def user_agent_hint(settings: Settings) -> str | None:
    """For those who read Wikimedia's stream under the default name, which all who set none share."""
    host = URL(settings.wiki_stream_url).host or ""
    if "wiki_user_agent" in settings.model_fields_set or not f".{host}".endswith(_WIKIMEDIA):
        return None
    return (
        "WIKI_USER_AGENT is not set: Wikimedia wants to reach each operator, and slows clients down that"
        " share a name; set it to your project and a contact, such as my-project/1.0 (https://example.org/contact)"
    )


def domains_hint(settings: Settings, progress: Progress, counts: Counts) -> str | None:
    """For those whose wikis sent nothing while ENOUGH_EVENTS of others came."""
    if counts.kept > 0 or progress.events < ENOUGH_EVENTS:
        return None
    return (
        f"WIKI_DOMAINS={','.join(settings.wiki_domains)}: none of the first {progress.events} events is of"
        " these wikis; unless they are very quiet ones, check the domains"
    )
