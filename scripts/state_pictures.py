"""The page's states as pictures, over a day that the simulator makes up; scripts/screenshot runs this."""

import json
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from harness.processes import wait_until
from page_picture import ColorScheme, say, shown
from stream_simulator.catalogue import Catalogue
from stream_simulator.changes import Changes
from stream_simulator.recentchange import lengths
from stream_simulator.timeline import Timeline
from stream_simulator.wikis import ENGLISH
from web.browser.running_web import RunningWeb
from web.committed import Change, CommittedChanges, now
from web.data.usual import compute_baseline
from wiki_common.coverage import Coverage

_HOUR: Final = timedelta(hours=1)
_DAY: Final = 24 * _HOUR
_RATE: Final = 2  # changes per second
_SEED: Final = 22


def take_pictures(folder: Path) -> None:
    """Writes a PNG of each state into `folder`."""
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="state-pictures-") as name:
        room = Path(name)
        say("a day of changes is made up")
        day = _a_day(room / "day")
        with RunningWeb(room, data_dir=day.data_dir) as web:
            web.wait_until_ready()
            past = now().replace(minute=0, second=0) - 6 * _HOUR
            _photograph(web, "/?order=unusual", folder / "unusual.png")
            _photograph(web, f"/?to={past:%Y-%m-%dT%H:%M:%SZ}", folder / "past.png", height=760)
            day.commit(covered=Coverage(now()))
            _photograph(web, "/", folder / "narrow-dark.png", width=390, height=840, scheme="dark")
            say("nothing comes any more")
            wait_until(lambda: _state(web) == "stale", timeout=90, what="the page is stale", every=1)
            _photograph(web, "/", folder / "stale.png", height=420)
        nothing = CommittedChanges(room / "nothing")
        nothing.commit()
        with RunningWeb(room, data_dir=nothing.data_dir) as web:
            wait_until(lambda: _state(web) == "empty", timeout=60, what="the page is empty")
            _photograph(web, "/", folder / "empty.png", height=460)


def _photograph(
    web: RunningWeb,
    path: str,
    picture: Path,
    width: int = 1000,
    height: int = 640,
    scheme: ColorScheme = "light",
) -> None:
    with shown(f"{web.url}{path}", width, height, scheme) as page:
        page.screenshot(path=picture)
    say(f"{picture}: {picture.stat().st_size // 1024} kB")


def _state(web: RunningWeb) -> str | None:
    found = web.get("/api/v1/top?limit=1")
    return None if found is None else str(json.loads(found)["state"])


def _a_day(data_dir: Path) -> CommittedChanges:
    """Its hours are closed, and a title that was hardly changed is being changed by many."""
    committed, end = CommittedChanges(data_dir), now()
    last = end.replace(minute=0, second=0)
    hours = defaultdict[datetime, list[Change]](list)
    for row in _made_up(last - _DAY, end):
        hours[row.event_time.replace(minute=0, second=0)].append(row)
    editors = [row.user for row in hours[last - _HOUR] if row.user and not row.bot]
    burst = [
        Change(
            end - timedelta(seconds=25 * number), "Total eclipse", editor, comment="/* Visibility */ update"
        )
        for number, editor in enumerate(editors[:32])
    ]
    for row in burst:
        hours[row.event_time.replace(minute=0, second=0)].append(row)
    for number in range(24, 0, -1):
        start = last - number * _HOUR
        committed.close_hour(start, hours[start])
    compute_baseline(data_dir)
    committed.commit(*hours[last], covered=Coverage(now()))
    return committed


def _made_up(start: datetime, end: datetime) -> list[Change]:
    """Edits and new pages of English Wikipedia."""
    timeline = Timeline(int(start.timestamp() * 1000), _RATE)
    made = Changes(Catalogue(_SEED), timeline)
    rows = []
    for index in range(timeline.first_at(int(end.timestamp() * 1000))):
        change = made.change(index, wiki=ENGLISH, type_="edit" if index % 20 else "new")
        old, new = lengths(change)
        rows.append(
            Change(
                event_time=datetime.fromtimestamp(change.timestamp, UTC),
                title=json.loads(change.page.title),
                user=change.user and json.loads(change.user),
                type=change.type,
                bot=change.bot,
                namespace=change.page.namespace,
                length_old=old,
                length_new=new,
                comment=json.loads(change.comment.text),
                event_id=change.id,
                page_url=f"https://{ENGLISH.domain}/wiki/{change.page.path}",
            )
        )
    return rows


if __name__ == "__main__":
    take_pictures(Path(sys.argv[1]))
