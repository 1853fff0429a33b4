"""Serves /metrics and /healthz."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from wiki_producer.watch import Watch


class PortUsed(Exception):
    """The text names the setting and the port."""


@asynccontextmanager
async def status_server(
    host: str, port: int, registry: CollectorRegistry, watch: Watch
) -> AsyncIterator[None]:
    """Serve while the context lasts. PortUsed when the address can't be had."""

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health(_request: web.Request) -> web.Response:
        reasons = watch.reasons()
        return web.Response(text="; ".join(reasons) or "ok", status=503 if reasons else 200)

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", health)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise PortUsed(f"METRICS_PORT={port}: can't listen on {host}: {error.strerror}") from None
        yield
    finally:
        await runner.cleanup()
