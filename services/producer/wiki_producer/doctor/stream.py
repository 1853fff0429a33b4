"""The stream: whether it answers us with events, and whose clock is wrong."""

import asyncio
from collections.abc import Iterable
from typing import Final

import aiohttp

from wiki_common.doctor.finding import Finding, note, ok, problem
from wiki_producer.settings import Settings
from wiki_producer.stream.clock import SKEW_SECONDS, StreamClock
from wiki_producer.stream.connection import StreamRefused, open_stream, stream_session
from wiki_producer.stream.lines import StreamEnded
from wiki_producer.stream.position import Live
from wiki_producer.stream.proxy import proxy_for_stream

TIMEOUT_SECONDS: Final = 20


async def check_stream(settings: Settings) -> Iterable[Finding]:
    """An event within TIMEOUT_SECONDS: of all wikis there are dozens a second."""
    what, clock = f"stream {settings.wiki_stream_url}", StreamClock()
    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            stream_session(settings.wiki_user_agent, proxy_for_stream(settings)) as session,
            open_stream(
                session,
                settings.wiki_stream_url,
                Live(),
                settings.wiki_stream_idle_timeout,
                answered=clock.answered,
            ) as events,
        ):
            await anext(aiter(events))
            found = ok(what, "answers our User-Agent with events")
    except StreamRefused as refusal:
        found = problem(what, f"{refusal}: {_advice(refusal.status)}")
    except TimeoutError:
        found = problem(what, f"no event within {TIMEOUT_SECONDS} s: check the way out to it")
    except (aiohttp.ClientError, StreamEnded, OSError) as error:
        found = problem(what, f"{error}: check WIKI_STREAM_URL and the way out to it")
    return found, clock_finding(clock.skew_seconds)


def _advice(status: int) -> str:
    if status == 403:
        return "set WIKI_USER_AGENT to your project and a contact"
    if status == 429:
        return "too many connections from this address: end what else reads the stream"
    return "check WIKI_STREAM_URL"


def clock_finding(skew_seconds: float | None) -> Finding:
    """`skew_seconds`: how far the stream's time is ahead of ours, None if it is not known."""
    what = "stream clock"
    if skew_seconds is None:
        return note(what, "not known: the stream gave no answer with a Date")
    side = "behind" if skew_seconds > 0 else "ahead of"
    if abs(skew_seconds) > SKEW_SECONDS:
        return problem(what, f"ours is {abs(skew_seconds):.0f} s {side} it: set ours by a time server")
    return ok(what, f"ours is {abs(skew_seconds):.0f} s from it")
