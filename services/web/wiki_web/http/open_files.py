"""The limit of open files, and how many connections it leaves room for."""

import resource
from typing import Final

MOST_CONNECTIONS: Final = 4000
MOST_STREAMS: Final = 4000
# For logs, the volume's files, the engine and its sockets.
_RESERVE: Final = 128


def raise_limit() -> int:
    """Raise the process's limit as far as it may be and is of use; the limit then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + MOST_STREAMS + _RESERVE
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= allowed:
        return wanted if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


def streams(limit: int) -> int:
    """How many viewers hold a stream open at once; more are refused, and poll."""
    return min(MOST_STREAMS, (limit - min(_RESERVE, limit // 2)) // 2)


def connections(limit: int) -> int:
    """How many clients are connected at once beside the streams; more wait in the kernel's queue."""
    return max(1, min(MOST_CONNECTIONS, limit - min(_RESERVE, limit // 2) - streams(limit)))
