"""One writer at a time in an object store: a lease, an object that its holder writes anew again and again.

Whoever finds it given back, or unchanged for SECONDS, takes it on the condition that it is still unchanged:
so only one can. A holder that couldn't renew it for SECONDS has to end. The time between two answers of the
store is measured by one clock, the store's or one's own, never across two machines.

The lease keeps two consumers from working against each other. That nothing is counted twice or lost doesn't
rest on it: one that was stopped in the middle may wake after its lease and send a request. So each file that
counts is put on a condition too (ObjectDraft, ObjectStoreCheckpoints): a batch has one plan, whoever made it,
and therefore one content.
"""

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Final

import structlog

from wiki_common.store.bucket import ATTEMPTS, Bucket, Changed, Content
from wiki_common.store.objects import ObjectPath

SECONDS: Final = 20.0
RENEWALS: Final = 4
"""In that time."""
# The store tells times in whole seconds.
_MARGIN: Final = 2.0
_READ_SECONDS: Final = 5
_AGAIN_SECONDS: Final = 1.0
_GIVEN_BACK: Final = b"{}"

_log = structlog.get_logger()


class LeaseLost(Exception):
    """Somebody else has it, or may have: the message says which in one line."""


def boot_seconds() -> float:
    """Also counts while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


class Lease:
    """Of the object `lock`. `clock` in seconds, which goes on while this process doesn't."""

    def __init__(
        self, lock: ObjectPath, *, seconds: float = SECONDS, clock: Callable[[], float] = boot_seconds
    ) -> None:
        self._lock = lock
        # No request is repeated unseen: the second could be refused because the first was carried out.
        self._bucket = Bucket(lock.bucket.name, attempts=1, read_seconds=_READ_SECONDS)
        self._seconds = seconds
        self._clock = clock
        self._etag = ""
        self._sent: set[bytes] = set()
        self._renewed = 0.0
        self._seen = ("", 0.0)
        self._ended = threading.Event()

    def take(self) -> bool:
        """Whether it is ours now. Raises OSError, PermissionError at once and others after some attempts."""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(_AGAIN_SECONDS)
            try:
                return self._take()
            except PermissionError:
                raise
            except OSError as error:
                failure = error
        raise failure

    def _take(self) -> bool:
        try:
            found = self._bucket.get(self._lock.key)
        except FileNotFoundError:
            return self._write(if_absent=True)
        if found.data in self._sent or found.data == _GIVEN_BACK or self._has_expired(found):
            return self._write(if_match=found.stat.etag)
        return False

    def renew(self) -> None:
        """Raises LeaseLost, or OSError while it may be ours yet."""
        if self._clock() - self._renewed > self._seconds:
            raise LeaseLost(f"it could not be renewed for {self._seconds:g} s")
        if self._write(if_match=self._etag):
            return
        written = self._written()
        if written is None:
            raise LeaseLost("another consumer has taken it")
        # A request that seemed to fail was carried out.
        self._etag = written

    def keep(self, on_lost: Callable[[str], None]) -> None:
        """Renew it in a thread of its own, until it is given back; `on_lost` is told why it can't be."""
        threading.Thread(target=self._keep, args=(on_lost,), name="lease", daemon=True).start()

    def give_back(self) -> None:
        """Whoever waits for it can take it at once, unless it wasn't ours any more. Raises OSError."""
        self._ended.set()
        etag: str | None = self._etag
        # The second time over a renewal whose answer has not come: none follows that one.
        while etag is not None:
            try:
                self._bucket.put(self._lock.key, _GIVEN_BACK, if_match=etag)
                return
            except Changed:
                etag = self._written()

    def _keep(self, on_lost: Callable[[str], None]) -> None:
        pause = self._seconds / RENEWALS
        while not self._ended.wait(pause):
            try:
                self.renew()
                pause = self._seconds / RENEWALS
            except (LeaseLost, FileNotFoundError) as error:
                if not self._ended.is_set():
                    on_lost(str(error))
                return
            except OSError as error:
                _log.warning("the lease was not renewed", reason=str(error))
                pause = _AGAIN_SECONDS

    def _written(self) -> str | None:
        """The etag of what lies there, if that was written here."""
        found = self._bucket.get(self._lock.key)
        return found.stat.etag if found.data in self._sent else None

    def _has_expired(self, found: Content) -> bool:
        if found.stat.etag != self._seen[0]:
            self._seen = (found.stat.etag, self._clock())
        by_the_store = found.now.timestamp() - found.stat.st_mtime
        return max(by_the_store, self._clock() - self._seen[1]) > self._seconds + _MARGIN

    def _write(self, *, if_absent: bool = False, if_match: str | None = None) -> bool:
        holder = f"{socket.gethostname()}, process {os.getpid()}"
        content = json.dumps({"holder": holder, "id": uuid.uuid4().hex}).encode()
        asked = self._clock()
        self._sent.add(content)
        try:
            self._etag = self._bucket.put(self._lock.key, content, if_absent=if_absent, if_match=if_match)
        except Changed:
            self._sent.discard(content)
            return False
        self._sent = {content}
        self._renewed = asked
        return True
