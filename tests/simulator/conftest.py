"""The simulator on a real socket, in this process; content is made once for all tests."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing

import pytest
from aiohttp import web

from stream_simulator.catalogue import Catalogue
from stream_simulator.faults import Faults
from stream_simulator.ledger import Ledger, NoLedger
from stream_simulator.server import Refusal, StreamServer
from stream_simulator.stream import Stream
from stream_simulator.timeline import Timeline

Serve = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue(seed=1)


@pytest.fixture
def start() -> int:
    """A minute ago, ms since the epoch: where the streams of these tests begin."""
    return int(time.time() * 1000) - 60_000


@pytest.fixture
async def serve(catalogue: Catalogue, start: int) -> AsyncIterator[Serve]:
    """Serves a stream and returns its URL; keywords as in the body."""
    async with AsyncExitStack() as stack:

        async def serving(
            *,
            stream: Stream | None = None,
            ledger: Ledger | None = None,
            faults: Faults | None = None,
            refusal: Refusal | None = None,
            events: int = 2000,
        ) -> str:
            kept = stack.enter_context(closing(ledger or NoLedger()))
            server = StreamServer(
                stream or Stream(catalogue, Timeline(start, 1000, events)),
                kept,
                faults or Faults(),
                refusal or Refusal(503, 0),
                time.time,
            )
            runner = web.AppRunner(server.app(), handler_cancellation=True, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return f"http://127.0.0.1:{runner.addresses[0][1]}/v2/stream/recentchange"

        yield serving
