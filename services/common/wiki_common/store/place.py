"""A file or folder of the volume, wherever DATA_DIR is, and the settings that name one."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, BinaryIO, Final, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, PlainValidator
from pydantic_settings import NoDecode
from typing_extensions import TypeVar

from wiki_common.store.bucket import Bucket
from wiki_common.store.objects import ObjectPath

Place = Path | ObjectPath
PlaceT = TypeVar("PlaceT", bound=Place, default=Path, covariant=True)
"""The kind of a volume's places, where it matters; not said, it is a folder of this machine."""

_SCHEME: Final = re.compile(r"(s3|[A-Za-z][A-Za-z0-9+.-]*(?=://)):")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# Characters that mean the same in a URL, in Hadoop's paths and in a pattern.
_PREFIX: Final = re.compile(r"([A-Za-z0-9_.=-]+(/[A-Za-z0-9_.=-]+)*)?")


def _expanded(path: Path) -> Path:
    if any(character in str(path) for character in "\r\n\0"):
        raise ValueError("expected a path without line ends")
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from None


FolderPath = Annotated[Path, AfterValidator(_expanded)]
"""A setting that names a folder; `~` at its start is the home directory."""


def _place(value: object) -> Place:
    if isinstance(value, ObjectPath):
        return value
    scheme = _SCHEME.match(str(value)) if isinstance(value, str) else None
    if scheme is None:
        return _expanded(Path(cast("str | Path", value)))
    if scheme[1] != "s3":
        raise ValueError("expected a folder, or s3://bucket/prefix")
    return object_path(str(value))


DataDir = Annotated[Place, NoDecode, PlainValidator(_place)]
"""A setting that names the volume: a folder, or `s3://bucket/prefix`."""


@lru_cache
def object_path(url: str) -> ObjectPath:
    """Has one client, whoever asks. Raises ValueError."""
    parts = urlsplit(url)
    prefix = parts.path.strip("/")
    if parts.query or parts.fragment or not _BUCKET.fullmatch(parts.netloc) or not _PREFIX.fullmatch(prefix):
        raise ValueError(
            "expected s3://bucket/prefix, a bucket of a-z 0-9 . - and a prefix of A-Z a-z 0-9 _ . = - /"
        )
    return ObjectPath(Bucket(parts.netloc), prefix)


def place_named(text: str) -> Place:
    """That of which `text` is the str()."""
    if not text.startswith("s3://"):
        return Path(text)
    bucket, _, key = text.removeprefix("s3://").partition("/")
    return object_path(f"s3://{bucket}") / key


def readable(place: Place) -> Path | BinaryIO:
    """What readers of Parquet take. Raises OSError for an object that can't be read."""
    return place if isinstance(place, Path) else cast(BinaryIO, place.open("rb"))


def for_hadoop(place: Place) -> str:
    """As Spark and Hadoop call it."""
    return str(place) if isinstance(place, Path) else f"s3a://{place.bucket.name}/{place.key}"
