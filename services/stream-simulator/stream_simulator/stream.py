"""The stream: event i as a server-sent event, with the ledger's line about it."""

from typing import NamedTuple

from stream_simulator.catalogue import Catalogue, Comment
from stream_simulator.changes import Change, Changes
from stream_simulator.malformed import NOT_AN_EVENT, malform
from stream_simulator.recentchange import event, head, lengths
from stream_simulator.timeline import Timeline
from stream_simulator.wikis import COMMONS, ENGLISH

CANARY_EVERY = 997
"""Upstream sends several canary events an hour; here they are more, so that a short run meets one."""

HUGE_COMMENT = Comment(f'"{"x" * 1_000_000}"', '""')


class Event(NamedTuple):
    """An event as the client reads it, and the ledger's line about it, each with its line end."""

    message: str
    line: str
    """Without the time of handing out, which is another one each time."""

    def handed_out(self, time: int) -> str:
        """The ledger's line about a handing out at `time`, ms since the epoch."""
        return self.line.removesuffix("}\n") + f',"handed_out":{time}}}\n'


class Stream:
    """All events of one seed on one timeline: `stream[i]` is event i, and always the same."""

    def __init__(
        self,
        catalogue: Catalogue,
        timeline: Timeline,
        *,
        malformed_every: int = 0,
        huge_every: int = 0,
        english_every: int = 0,
    ) -> None:
        """Every Nth event is malformed, or huge (0: none is); both are changes of the English Wikipedia.

        With `english_every` these and every Nth event are its only ones.
        """
        self.timeline = timeline
        self._changes = Changes(catalogue, timeline)
        self._malformed_every = malformed_every
        self._huge_every = huge_every
        self._english_every = english_every

    def __getitem__(self, index: int) -> Event:
        if _is_nth(index, self._malformed_every):
            return _malformed(self._english_edit(index), variant=index // self._malformed_every)
        if _is_nth(index, self._huge_every):
            change = self._english_edit(index)._replace(comment=HUGE_COMMENT)
            return Event(_message(change.time, event(change)), _ledger_line(change, "huge"))
        change = self._change(index)
        if _is_nth(index, CANARY_EVERY) and not _is_nth(index, self._english_every):
            return _canary(change)
        return Event(_message(change.time, event(change)), _ledger_line(change, "change"))

    def _change(self, index: int) -> Change:
        if _is_nth(index, self._english_every):
            return self._english_edit(index)
        change = self._changes.change(index)
        if self._english_every and change.wiki is ENGLISH:
            return self._changes.change(index, wiki=COMMONS)
        return change

    def _english_edit(self, index: int) -> Change:
        return self._changes.change(index, wiki=ENGLISH, type_="edit")


def _is_nth(index: int, every: int) -> bool:
    return every > 0 and index % every == every - 1


def _message(time: int, data: str) -> str:
    """A server-sent event that happened at `time` ms, its id as upstream writes it: the time plus 1 ms.

    Source: wikimedia/KafkaSSE lib/KafkaSSE.js.
    """
    return (
        "event: message\n"
        f'id: [{{"topic":"eqiad.mediawiki.recentchange","partition":0,"timestamp":{time + 1}}},'
        f'{{"topic":"codfw.mediawiki.recentchange","partition":0,"offset":-1}}]\ndata: {data}\n\n'
    )


def _ledger_line(change: Change, kind: str, *, shows_domain: bool = True) -> str:
    """A change as a line of the ledger."""
    old, new = lengths(change)
    domain = f'"{change.wiki.domain}"' if shows_domain else "null"
    return (
        f'{{"index":{change.offset},"id":"{change.id}","kind":"{kind}","domain":{domain},'
        f'"type":"{change.type}","title":{change.page.title},"namespace":{change.page.namespace},'
        f'"user":{change.user or "null"},"bot":{"true" if change.bot else "false"},'
        f'"timestamp":{change.timestamp},"time":{change.time},'
        f'"length_old":{"null" if old is None else old},"length_new":{"null" if new is None else new}}}\n'
    )


def _malformed(change: Change, variant: int) -> Event:
    data, kind = malform(change, variant)
    return Event(_message(change.time, data), _ledger_line(change, kind, shows_domain=data != NOT_AN_EVENT))


def _canary(change: Change) -> Event:
    data = (
        head(change.offset, change.time, change.id, change.request_id, "https://canary/wiki/Canary", "canary")
        + "}"
    )
    line = (
        f'{{"index":{change.offset},"id":"{change.id}","kind":"canary","domain":"canary","type":null,"title":null,'
        f'"namespace":null,"user":null,"bot":null,"timestamp":null,"time":{change.time},'
        '"length_old":null,"length_new":null}\n'
    )
    return Event(_message(change.time, data), line)
