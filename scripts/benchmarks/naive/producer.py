"""The usual producer: it reads the stream from now on, and from now on again after a restart."""

import asyncio
import json
import sys

from aiohttp import ClientTimeout
from aiohttp_sse_client.client import EventSource
from kafka import KafkaProducer

USER_AGENT = "live-top-bench/1.0 (https://example.org/)"


async def run(stream: str, bootstrap_servers: str, topic: str) -> None:
    producer = KafkaProducer(
        bootstrap_servers=bootstrap_servers, value_serializer=lambda change: json.dumps(change).encode()
    )
    headers = {"User-Agent": USER_AGENT}
    async with EventSource(stream, headers=headers, timeout=ClientTimeout(total=None)) as events:
        async for event in events:
            change = json.loads(event.data)
            if change.get("server_name") == "en.wikipedia.org":
                producer.send(topic, change)


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
