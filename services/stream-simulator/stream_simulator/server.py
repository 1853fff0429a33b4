"""The HTTP side: recentchange as Wikimedia serves it, and /healthz."""

import asyncio
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from aiohttp import web

from stream_simulator.faults import Fault, Faults
from stream_simulator.ledger import Ledger
from stream_simulator.resume import InvalidPosition, first_index
from stream_simulator.stream import Stream

BATCH = 128
"""Events handed out between two looks at the clock and at other connections: a few ms of work."""

TICK = 0.01
"""Seconds a connection sleeps at least, so that a high rate is written in batches."""

_CONTACT = re.compile(r"https?://\S|[\w.+-]+@[\w-]+\.\w")
_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "private, no-cache, no-store, no-transform, must-revalidate",
}

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True)
class Refusal:
    """How a request is refused by a fault."""

    status: int
    retry_after: int
    """Seconds; 0: no Retry-After."""


class StreamServer:
    """Serves one stream to any number of connections, each at its own position."""

    def __init__(
        self, stream: Stream, ledger: Ledger, faults: Faults, refusal: Refusal, clock: Callable[[], float]
    ) -> None:
        """`clock` is the time in seconds since the epoch."""
        self._stream = stream
        self._ledger = ledger
        self._faults = faults
        self._refusal = refusal
        self._clock = clock

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v2/stream/recentchange", self.recentchange)
        app.router.add_get("/healthz", self.healthz)
        return app

    async def healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok: serving\n")

    async def recentchange(self, request: web.Request) -> web.StreamResponse:
        """The stream from the position that the request asks for."""
        if not _CONTACT.search(request.headers.get("User-Agent", "")):
            return web.Response(
                status=403, text="Set a User-Agent that names the client and a URL or e-mail to reach you.\n"
            )
        if self._faults.refuses():
            return self._refuse()
        try:
            index = first_index(
                self._stream.timeline,
                self._now(),
                last_event_id=request.headers.get("Last-Event-ID", ""),
                since=request.query.get("since", ""),
            )
        except InvalidPosition as error:
            return web.Response(status=400, text=f"{error}\n")
        return await self._open(request, index)

    def _refuse(self) -> web.Response:
        headers = {"Retry-After": str(self._refusal.retry_after)} if self._refusal.retry_after else {}
        log.info("request refused", status=self._refusal.status)
        return web.Response(
            status=self._refusal.status, headers=headers, text="Refused for now, try again later.\n"
        )

    async def _open(self, request: web.Request, index: int) -> web.StreamResponse:
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        log.info("stream opened", index=index, user_agent=request.headers["User-Agent"])
        try:
            await response.write(b":ok\n\n")
            fault = await self._deliver(response, index)
            log.info("stream ended", reason=fault.value)
            if fault is Fault.RESET:
                _reset(request)
        except ConnectionResetError:
            log.info("client gone")
        except OSError as error:
            log.error("ledger not written", reason=str(error))
        except asyncio.CancelledError:
            log.info("client gone")
            raise
        return response

    async def _deliver(self, response: web.StreamResponse, index: int) -> Fault:
        """Hand out events from `index` on, each when it is due, until a fault ends the response."""
        timeline = self._stream.timeline
        while True:
            due = timeline.first_at(self._now() + 1)
            number, fault = self._faults.take(min(BATCH, max(0, due - index)))
            if number:
                await self._hand_out(response, range(index, index + number), cut=fault is Fault.CUT)
                index += number
            if fault is Fault.STALL or timeline.ended(index):
                await asyncio.Event().wait()
            if fault:
                return fault
            if index >= due:
                await asyncio.sleep(max(TICK, timeline.time(index) / 1000 - self._clock()))

    async def _hand_out(self, response: web.StreamResponse, indices: range, *, cut: bool) -> None:
        events = [self._stream[index] for index in indices]
        rest = b""
        if cut:
            message = events.pop().message.encode()
            rest = message[: len(message) // 2]
        now = self._now()
        self._ledger.record("".join([event.handed_out(now) for event in events]))
        await response.write("".join([event.message for event in events]).encode() + rest)

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _reset(request: web.Request) -> None:
    """Close the connection with a TCP reset: what the client has not read yet is lost to it."""
    if (transport := request.transport) is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
