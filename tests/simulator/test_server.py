"""The stream over a real socket."""

import asyncio
import errno
import json
import time
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from simulator.conftest import Serve
from simulator.sse import USER_AGENT, read
from stream_simulator.catalogue import Catalogue
from stream_simulator.faults import Faults
from stream_simulator.ledger import FileLedger
from stream_simulator.server import Refusal
from stream_simulator.stream import Stream
from stream_simulator.timeline import Timeline


class FullDisk:
    """A ledger that can't be written."""

    def record(self, lines: str) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    def close(self) -> None:
        """Nothing is open."""


async def answer(url: str, headers: dict[str, str]) -> tuple[int, str, str | None]:
    """Status, text and Retry-After."""
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.text(), response.headers.get("Retry-After")


async def test_a_finite_stream_is_served_whole_in_order_and_the_connection_stays(
    serve: Serve, start: int
) -> None:
    reading = await read(await serve(), count=2000, since=start)
    assert [event.index for event in reading.events] == list(range(2000))
    assert {event.name for event in reading.events} == {"message"}
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read(await serve(events=3), since=start), 1)


@pytest.mark.parametrize(
    "user_agent",
    ["", "curl/8.5.0", "python-requests/2.32", "Python/3.11 aiohttp/3.14.5", "wiki-producer/1.0"],
)
async def test_a_user_agent_without_a_contact_is_refused(serve: Serve, user_agent: str) -> None:
    status, text, _ = await answer(await serve(), {"User-Agent": user_agent})
    assert status == 403
    assert "User-Agent" in text


async def test_an_address_for_mail_is_a_contact(serve: Serve, start: int) -> None:
    status, _, _ = await answer(f"{await serve()}?since=x", {"User-Agent": "demo/1 (someone@example.org)"})
    assert status == 400


async def test_a_bad_position_is_refused_with_a_text(serve: Serve) -> None:
    url = await serve()
    status, text, _ = await answer(f"{url}?since=tomorrow", {"User-Agent": USER_AGENT})
    assert (status, "tomorrow" in text) == (400, True)
    status, text, _ = await answer(url, {"User-Agent": USER_AGENT, "Last-Event-ID": "{"})
    assert (status, "Last-Event-ID" in text) == (400, True)


async def test_a_client_that_rewinds_its_last_id_loses_nothing(serve: Serve, start: int) -> None:
    url = await serve(faults=Faults(cut_every=600))
    indices: list[int] = []
    position = json.dumps([{"topic": "eqiad.mediawiki.recentchange", "partition": 0, "timestamp": start}])
    while not indices or indices[-1] < 1500:
        reading = await read(url, last_event_id=position, count=400)
        indices += [event.index for event in reading.events]
        assignments = json.loads(reading.events[-1].id)
        assignments[0]["timestamp"] -= 20
        position = json.dumps(assignments)
    assert set(range(1500)) <= set(indices)


async def test_a_client_that_resumes_exactly_at_an_id_loses_the_rest_of_the_millisecond(
    serve: Serve, start: int
) -> None:
    url = await serve()
    last = (await read(url, count=7, since=start)).events[-1]
    assert last.index == 6
    assert (await read(url, count=1, last_event_id=last.id)).events[0].index == 8


async def test_live_events_come_when_they_are_due(serve: Serve, catalogue: Catalogue) -> None:
    begun = int(time.time() * 1000) + 300
    url = await serve(stream=Stream(catalogue, Timeline(begun, 20)))
    reading = await read(url, count=5)
    assert [event.index for event in reading.events] == [0, 1, 2, 3, 4]
    assert time.time() * 1000 >= begun + 200


async def test_a_cut_ends_the_response_cleanly_in_the_middle_of_an_event(serve: Serve, start: int) -> None:
    reading = await read(await serve(faults=Faults(cut_every=300)), since=start)
    assert [event.index for event in reading.events] == list(range(299))
    assert reading.rest.startswith(b"event: message\nid: [")
    assert b"data: {" in reading.rest


async def test_a_close_ends_the_response_between_events(serve: Serve, start: int) -> None:
    reading = await read(await serve(faults=Faults(close_every=300)), since=start)
    assert (len(reading.events), reading.rest) == (300, b"")


async def test_a_reset_is_one_of_tcp_and_not_an_orderly_end(serve: Serve, start: int) -> None:
    url = URL(await serve(faults=Faults(reset_every=5)))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    request = f"GET {url.path}?since={start} HTTP/1.1\r\nHost: x\r\nUser-Agent: {USER_AGENT}\r\n\r\n"
    writer.write(request.encode())
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 60)
    writer.close()


async def test_a_stall_sends_nothing_more_and_the_next_connection_goes_on(serve: Serve, start: int) -> None:
    url = await serve(faults=Faults(stall_after=300))
    assert len((await read(url, since=start, count=300)).events) == 300
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read(await serve(faults=Faults(stall_after=300)), since=start, count=301), 1)
    assert len((await read(url, since=start, count=900)).events) == 900


@pytest.mark.parametrize(("refusal", "expected"), [(Refusal(503, 0), None), (Refusal(429, 7), "7")])
async def test_a_refusal_has_its_status_and_retry_after(
    serve: Serve, refusal: Refusal, expected: str | None
) -> None:
    url = await serve(faults=Faults(refuse_every=1), refusal=refusal)
    status, _, retry_after = await answer(url, {"User-Agent": USER_AGENT})
    assert (status, retry_after) == (refusal.status, expected)


async def test_what_clients_received_is_in_the_ledger_once_per_hand_out(
    serve: Serve, start: int, tmp_path: Path
) -> None:
    path = tmp_path / "ledger"
    url = await serve(ledger=FileLedger(path), faults=Faults(cut_every=300), events=500)
    cut = await read(url, since=start)
    whole = await read(url, since=start, count=200)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    received = [*cut.events, *whole.events]
    assert {event.content["meta"]["id"] for event in received} == {line["id"] for line in lines[:499]}
    assert [line["index"] for line in lines[:499]] == [*range(299), *range(200)]


async def test_the_ledger_says_when_an_event_was_handed_out(serve: Serve, start: int, tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    url = await serve(ledger=FileLedger(path), events=2)
    began = int(time.time() * 1000)
    await read(url, since=start, count=2)
    times = [json.loads(line)["handed_out"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert began <= times[0] <= times[1] <= time.time() * 1000


async def test_an_event_that_the_ledger_could_not_take_is_not_handed_out(serve: Serve, start: int) -> None:
    reading = await read(await serve(ledger=FullDisk()), since=start)
    assert (reading.events, reading.rest) == ([], b"")


async def test_healthz_answers_without_a_user_agent(serve: Serve) -> None:
    url = (await serve()).replace("/v2/stream/recentchange", "/healthz")
    assert (await answer(url, {"User-Agent": ""}))[0] == 200
