"""Viewers of a running page: each asks over a connection of its own, as the page's script does.

It polls, or is told by a stream when to ask. One process on asyncio's streams: a viewer that itself needs CPU
would be late to read what it measures. Prints one line of JSON: each path's latencies in seconds, from the
request's first byte to the answer's last, and when each viewer on a stream had answers up to which time.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from wiki_web.http.open_files import raise_limit

PATHS = ("/", "/api/v1/top")
_PERIOD = 2.0  # seconds between two polls of a viewer
_UNTOLD = 10.0  # seconds after which a viewer on a stream asks without being told
_PATIENCE = 30.0  # seconds until a viewer gives up


@dataclass
class Seen:
    """What all viewers of one path met: seconds of each answer, and how often each failure.

    `shown` has for each viewer on a stream when its answers came, each with the as_of that it was told of,
    both in seconds since the epoch.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    shown: list[list[tuple[float, float]]] = field(default_factory=list)


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


class Told:
    """A stream: what it told last, until the next event takes its place."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._something = asyncio.Event()
        self.as_of = 0.0

    async def wait(self, seconds: float) -> None:
        """Until there is an event that nobody waited for, or `seconds` have passed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._something.wait(), seconds)
        self._something.clear()

    async def listen(self, seen: Seen) -> None:
        """Read events for ever; an end of the stream is counted as a failure."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(b"GET /api/v1/stream HTTP/1.1\r\nHost: bench\r\n\r\n")
            status = (await reader.readline()).split()[1].decode()
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    as_of = json.loads(line.removeprefix(b"data: "))["as_of"]
                    self.as_of = datetime.fromisoformat(as_of).timestamp()
                    self._something.set()
            seen.statuses[f"stream ended ({status})"] += 1
        except OSError as error:
            seen.statuses[f"stream: {type(error).__name__}"] += 1


async def ask(viewer: Viewer, seen: Seen) -> None:
    began = time.perf_counter()
    try:
        status = str(await asyncio.wait_for(viewer.ask(), _PATIENCE))
    except (OSError, EOFError) as error:
        viewer.leave()
        status = type(error).__name__
    seen.seconds.append(time.perf_counter() - began)
    seen.statuses[status] += 1


async def poll(viewer: Viewer, seen: Seen, first: float, until: float) -> None:
    """Each period from `first` on, both moments of time.monotonic; after a late answer at once."""
    moment = first
    while moment < until:
        await asyncio.sleep(moment - time.monotonic())
        await ask(viewer, seen)
        moment = max(moment + _PERIOD, time.monotonic())
    viewer.leave()


async def follow(viewer: Viewer, told: Told, seen: Seen, first: float, until: float) -> None:
    """Ask when told, from `first` on, both moments of time.monotonic."""
    await asyncio.sleep(first - time.monotonic())
    listening = asyncio.create_task(told.listen(seen))
    shown: list[tuple[float, float]] = []
    seen.shown.append(shown)
    while True:
        await told.wait(min(_UNTOLD, until - time.monotonic()))
        if time.monotonic() >= until:
            break
        as_of = told.as_of
        await ask(viewer, seen)
        shown.append((time.time(), as_of))
    listening.cancel()
    viewer.leave()


async def view_all(port: int, viewers: int, seconds: float, told: bool) -> dict[str, Seen]:
    """Half of the viewers on each path, their first requests spread evenly over the period."""
    found = {path: Seen() for path in PATHS}
    start = time.monotonic() + 1
    async with asyncio.TaskGroup() as group:
        for number in range(viewers):
            path = PATHS[number % len(PATHS)]
            first = start + _PERIOD * number / viewers
            viewer, until = Viewer(port, path), start + seconds
            if told:
                group.create_task(follow(viewer, Told(port), found[path], first, until))
            else:
                group.create_task(poll(viewer, found[path], first, until))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("port", "viewers", "seconds"):
        parser.add_argument(name, type=int)
    parser.add_argument("--told", action="store_true", help="by a stream, instead of polling")
    options = parser.parse_args()
    raise_limit()
    found = asyncio.run(view_all(options.port, options.viewers, options.seconds, options.told))
    json.dump(
        {
            "cpu_seconds": time.process_time(),
            "paths": {path: vars(seen) for path, seen in found.items()},
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
