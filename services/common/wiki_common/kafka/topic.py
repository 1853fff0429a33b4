"""What the topic may be called."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator

# The topic of rejected events has the longer name, and Kafka allows 249 characters.
_NAME: Final = re.compile(r"[a-zA-Z0-9._-]{1,240}")


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name) or name in {".", ".."}:
        raise ValueError("expected up to 240 of a-z A-Z 0-9 . _ -")
    return name


TopicName = Annotated[str, AfterValidator(_checked)]
