"""Requests to S3 by botocore, which is loaded with the first of them: a volume on a disk needs none."""

import errno
import os
import random
import time
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

from wiki_common.store.bucket import Changed

_CONNECT_SECONDS: Final = 3
_CONNECTIONS: Final = 32  # web reads many files at once
_PAUSE_SECONDS: Final = 0.1  # after the first attempt, and twice as long after each further one
_TRANSIENT: Final = frozenset({408, 429, 500, 502, 503, 504})
_PERMANENT: Final = (NoCredentialsError, ParamValidationError)
_NEEDED: Final[dict[str, frozenset[str]]] = {
    "head_object": frozenset({"ContentLength", "LastModified", "ETag"}),
    "get_object": frozenset({"LastModified", "ETag"}),
    "put_object": frozenset({"ETag"}),
    "list_objects_v2": frozenset({"IsTruncated"}),
}
_ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_LOST: Final = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
_REFUSED: Final = frozenset(
    {
        "401",
        "403",
        "AccessDenied",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
    }
)


def region() -> str:
    """AWS_REGION, or AWS_DEFAULT_REGION, which some tools take; stores that are not AWS's have none."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def endpoint() -> str | None:
    """The URL of a store that isn't AWS's."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None


def new_client(read_seconds: int) -> Any:
    """Credentials are those of the environment, or of the machine's role. Raises OSError."""
    try:
        return botocore.session.get_session().create_client(
            "s3",
            region_name=region(),
            endpoint_url=endpoint(),
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=read_seconds,
                max_pool_connections=_CONNECTIONS,
                retries={"mode": "standard", "total_max_attempts": 1},
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise OSError(errno.EINVAL, " ".join(str(error).split()), "AWS_ENDPOINT_URL") from None


def ask(
    client: Any, operation: str, arguments: dict[str, Any], *, where: str, attempts: int
) -> dict[str, Any]:
    """The store's answer, with its body read. Raises OSError, which names the object, `where`.

    Requests are made again here: botocore doesn't notice an answer that was cut in its headers or its body.
    """
    for attempt in range(attempts):
        if attempt:
            time.sleep(random.uniform(0.5, 1) * _PAUSE_SECONDS * 2**attempt)  # noqa: S311 - no secret
        try:
            return _answer(client, operation, arguments)
        except ClientError as error:
            failure = _as_os_error(error.response, where)
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in _TRANSIENT:
                break
        except (BotoCoreError, ValueError) as error:
            failure = OSError(errno.EIO, " ".join(str(error).split()), where)
            if isinstance(error, _PERMANENT):
                break
    raise failure


def _answer(client: Any, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = getattr(client, operation)(**arguments)
    if operation == "get_object":
        answer["Body"] = answer["Body"].read()
    if missing := _NEEDED.get(operation, frozenset()) - answer.keys():
        raise ValueError(f"the answer was cut: it has no {', '.join(sorted(missing))}")
    return answer


def _as_os_error(response: dict[str, Any], where: str) -> OSError:
    """Without what the store says at length: it may quote the request."""
    code = str(response.get("Error", {}).get("Code", ""))
    if code in _ABSENT:
        return FileNotFoundError(errno.ENOENT, "there is no such object", where)
    if code in _LOST:
        return Changed(errno.EEXIST, "somebody else wrote there before", where)
    if code in _REFUSED:
        return PermissionError(errno.EACCES, f"the store refuses it: {code}", where)
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    return OSError(errno.EIO, f"the store answers {status} {code}", where)
