"""Where the volume is, as every service that uses it is told."""

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from wiki_common.settings import ServiceSettings
from wiki_common.store.place import DataDir

_ENDPOINT: Final = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?/?")


def _endpoint(value: str) -> str:
    if not _ENDPOINT.fullmatch(value):
        raise ValueError("expected http://host:port or https://host:port")
    return value


class StoreSettings(ServiceSettings):
    """The AWS libraries read their variables themselves, those of logins too: here they are only checked."""

    data_dir: DataDir = Path("/data")
    aws_endpoint_url: Annotated[str, AfterValidator(_endpoint)] | None = None
    aws_region: Annotated[str, Field(pattern="^[a-z0-9-]{1,63}$")] | None = None
