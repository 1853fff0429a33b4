"""`python -m stream_simulator`: settings, stream, server; until SIGTERM or SIGINT."""

import asyncio
import signal
import sys
import time
from contextlib import closing

import structlog
from aiohttp import web

from stream_simulator import logs
from stream_simulator.catalogue import Catalogue
from stream_simulator.faults import Faults
from stream_simulator.ledger import FileLedger, Ledger, NoLedger
from stream_simulator.server import Refusal, StreamServer
from stream_simulator.settings import InvalidSettings, Settings, read_settings
from stream_simulator.stream import Stream
from stream_simulator.timeline import Timeline


def main(arguments: list[str]) -> int:
    """The exit code: 0 after a signal, 1 if it cannot listen, 2 for a wrong setting."""
    try:
        settings = read_settings(arguments)
        ledger = _ledger(settings)
    except InvalidSettings as error:
        print(error, file=sys.stderr)  # noqa: T201 - one plain line, before logs are set up
        return 2
    logs.configure(settings.log_level, settings.log_format)
    with closing(ledger):
        return asyncio.run(_serve(_server(settings, ledger), settings))


def _ledger(settings: Settings) -> Ledger:
    try:
        return FileLedger(settings.ledger) if settings.ledger else NoLedger()
    except OSError as error:
        raise InvalidSettings(f"SIMULATOR_LEDGER={settings.ledger}: {error.strerror}") from error


def _server(settings: Settings, ledger: Ledger) -> StreamServer:
    timeline = Timeline(settings.start, settings.rate, settings.events)
    return StreamServer(
        Stream(
            Catalogue(settings.seed),
            timeline,
            malformed_every=settings.malformed_every,
            huge_every=settings.huge_every,
            english_every=settings.english_every,
        ),
        ledger,
        Faults(
            cut_every=settings.cut_every,
            close_every=settings.close_every,
            reset_every=settings.reset_every,
            stall_after=settings.stall_after,
            refuse_every=settings.refuse_every,
        ),
        Refusal(settings.refuse_status, settings.retry_after),
        time.time,
    )


async def _serve(server: StreamServer, settings: Settings) -> int:
    log: structlog.stdlib.BoundLogger = structlog.get_logger()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # Handlers of open streams never end by themselves, so a stop does not wait for them.
    runner = web.AppRunner(server.app(), handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        log.info("listening", host=settings.host, port=settings.port, rate=settings.rate, seed=settings.seed)
        await stop.wait()
        log.info("stopping")
    except OSError as error:
        log.error(
            "cannot listen", SIMULATOR_PORT=settings.port, BIND_ADDRESS=settings.host, reason=str(error)
        )
        return 1
    finally:
        await runner.cleanup()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
