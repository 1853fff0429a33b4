"""An S3 bucket: one request a method, and each failure an OSError that says in one line what it was."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any, Final

ATTEMPTS: Final = 4
READ_SECONDS: Final = 10


class Changed(OSError):
    """What had a condition was not done: somebody else wrote there before."""


@dataclass(frozen=True)
class ObjectStat:
    """As os.stat_result where the names are the same; `etag` differs with the content."""

    st_size: int
    st_mtime: float
    etag: str = ""

    @property
    def st_mtime_ns(self) -> int:
        """The store tells whole seconds."""
        return round(self.st_mtime * 1e9)


@dataclass(frozen=True)
class Content:
    """Bytes of an object, from `start` on, and what it is as a whole."""

    data: bytes
    start: int
    stat: ObjectStat
    now: datetime
    """the store's clock (UTC) when it answered"""


class Bucket:
    """Requests to one bucket; any thread may make them. All raise OSError: FileNotFoundError for what isn't
    there, PermissionError where the credentials are refused, Changed if a condition doesn't hold.

    A request that fails, or whose answer takes longer than `read_seconds`, is made again, `attempts` times in
    all: so a write may have been made by one that seemed to fail.
    """

    def __init__(self, name: str, *, attempts: int = ATTEMPTS, read_seconds: int = READ_SECONDS) -> None:
        self.name = name
        self._attempts = attempts
        self._read_seconds = read_seconds
        self._client: Any = None
        self._making = Lock()

    def __repr__(self) -> str:
        return f"Bucket({self.name!r})"

    def head(self, key: str) -> ObjectStat:
        answer = self._ask("head_object", key)
        return ObjectStat(answer["ContentLength"], answer["LastModified"].timestamp(), answer["ETag"])

    def get(
        self, key: str, *, start: int | None = None, length: int | None = None, if_match: str | None = None
    ) -> Content:
        """All of it; `length` bytes from `start` on; or its last `length` bytes if there is no start.

        With a condition only while it has this etag.
        """
        asked = {} if if_match is None else {"IfMatch": if_match}
        if length is not None:
            asked["Range"] = f"bytes=-{length}" if start is None else f"bytes={start}-{start + length - 1}"
        answer = self._ask("get_object", key, **asked)
        data: bytes = answer["Body"]
        first, size = 0, len(data)
        if "ContentRange" in answer:
            span, _, whole = answer["ContentRange"].removeprefix("bytes ").partition("/")
            first, size = int(span.partition("-")[0]), int(whole)
        stat = ObjectStat(size, answer["LastModified"].timestamp(), answer["ETag"])
        return Content(data, first, stat, _date(answer))

    def put(self, key: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        """Its new etag. With a condition it is written only where nothing is, or over this etag."""
        condition: dict[str, str] = {"IfMatch": if_match} if if_match is not None else {}
        if if_absent:
            condition = {"IfNoneMatch": "*"}
        return str(self._ask("put_object", key, Body=data, **condition)["ETag"])

    def copy(self, key: str, target: str) -> None:
        self._ask("copy_object", target, CopySource={"Bucket": self.name, "Key": key})

    def delete(self, key: str) -> None:
        """Nothing happens where there is none."""
        self._ask("delete_object", key)

    def keys(self, prefix: str, *, most: int = 1000) -> Iterator[tuple[str, ObjectStat]]:
        """All keys that begin so, in order, `most` in a request."""
        for page in self._pages(prefix, most):
            for each in page.get("Contents", ()):
                yield each["Key"], ObjectStat(each["Size"], each["LastModified"].timestamp(), each["ETag"])

    def folders(self, prefix: str) -> list[str]:
        """What follows `prefix` up to the next slash, of all keys that have one."""
        found = (page.get("CommonPrefixes", ()) for page in self._pages(prefix, 1000, Delimiter="/"))
        return [each["Prefix"].removeprefix(prefix).rstrip("/") for page in found for each in page]

    def _pages(self, prefix: str, most: int, **more: str) -> Iterator[dict[str, Any]]:
        asked: dict[str, Any] = {"Prefix": prefix, "MaxKeys": most, **more}
        while True:
            page = self._ask("list_objects_v2", None, **asked)
            yield page
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def _ask(self, operation: str, key: str | None, **arguments: Any) -> dict[str, Any]:
        # Not before it is needed: it takes a moment, and memory.
        from wiki_common.store import client

        with self._making:
            if self._client is None:
                self._client = client.new_client(self._read_seconds)
        where = f"s3://{self.name}/{key or arguments.get('Prefix', '')}"
        named = {} if key is None else {"Key": key}
        asked = {"Bucket": self.name, **named, **arguments}
        return client.ask(self._client, operation, asked, where=where, attempts=self._attempts)


def _date(answer: dict[str, Any]) -> datetime:
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(told) if told else datetime.now(UTC)
