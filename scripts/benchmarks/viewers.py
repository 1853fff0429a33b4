"""Viewers of a running page: each polls over a connection of its own, as the page's script does.

One process on asyncio's streams: a viewer that itself needs CPU would be late to read what it measures.
Prints one line of JSON: each path's latencies in seconds, from the request's first byte to the answer's last.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field

PATHS = ("/", "/api/v1/top")
_PERIOD = 2.0  # seconds between two polls of a viewer
_PATIENCE = 30.0  # seconds until a viewer gives up


@dataclass
class Seen:
    """What all viewers of one path met: seconds of each answer, and how often each failure."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Viewer:
    """Asks for `path` and sends the last ETag back."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._path = path
        self._etag = ""
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self) -> int:
        """The answer's status. Raises OSError or EOFError."""
        if self._connection is None:
            self._connection = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._connection
        known = f"If-None-Match: {self._etag}\r\n" if self._etag else ""
        request = f"GET {self._path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n{known}\r\n"
        writer.write(request.encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        if length := int(headers.get("content-length", 0)):
            await reader.readexactly(length)
        self._etag = headers.get("etag", "")
        if headers.get("connection") == "close":
            self.leave()
        return int(head[0].split(" ")[1])

    def leave(self) -> None:
        if self._connection is not None:
            self._connection[1].close()
            self._connection = None


async def view(viewer: Viewer, seen: Seen, first: float, until: float) -> None:
    """Poll each period from `first` on, both moments of time.monotonic; after a late answer at once."""
    moment = first
    while moment < until:
        await asyncio.sleep(moment - time.monotonic())
        began = time.perf_counter()
        try:
            status = str(await asyncio.wait_for(viewer.ask(), _PATIENCE))
        except (OSError, EOFError) as error:
            viewer.leave()
            status = type(error).__name__
        seen.seconds.append(time.perf_counter() - began)
        seen.statuses[status] += 1
        moment = max(moment + _PERIOD, time.monotonic())
    viewer.leave()


async def view_all(port: int, viewers: int, seconds: float) -> dict[str, Seen]:
    """Half of the viewers on each path, their polls spread evenly over the period."""
    found = {path: Seen() for path in PATHS}
    start = time.monotonic() + 1
    async with asyncio.TaskGroup() as group:
        for number in range(viewers):
            path = PATHS[number % len(PATHS)]
            first = start + _PERIOD * number / viewers
            group.create_task(view(Viewer(port, path), found[path], first, start + seconds))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("port", "viewers", "seconds"):
        parser.add_argument(name, type=int)
    options = parser.parse_args()
    found = asyncio.run(view_all(options.port, options.viewers, options.seconds))
    json.dump(
        {
            "cpu_seconds": time.process_time(),
            "paths": {
                path: {"seconds": seen.seconds, "statuses": seen.statuses} for path, seen in found.items()
            },
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
