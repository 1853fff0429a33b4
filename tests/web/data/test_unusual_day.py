"""A simulated day: what begins to be edited by many is first within half a minute; what is busy is not."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from web.committed import NOON, Change, CommittedChanges
from web.data.held import HOUR, listed
from web.data.usual import compute_baseline
from wiki_common.coverage import Coverage
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.baseline import Baselines
from wiki_web.data.engines.engine import Engine
from wiki_web.data.past.past_answers import PastAnswers
from wiki_web.data.queries import Query
from wiki_web.data.rows import microseconds
from wiki_web.data.store import Store

SECOND = timedelta(seconds=1)
BEGINS = NOON + HOUR / 2
"""Of the burst, half an hour after the history's end."""
TITLES, EDITORS = 4_000, 900
ASKED = Query("unusual", HOUR / 2, 20, bots="exclude")


def ordinary(chance: random.Random, start: datetime, end: datetime) -> Iterator[Change]:
    """A change each four seconds, of few titles often and of many seldom; one title is always busy."""
    moment = start
    while (moment := moment + chance.uniform(0, 8) * SECOND) < end:
        title = f"Title {int(TITLES * chance.random() ** 3)}"
        yield Change(moment, title, f"Editor {chance.randrange(EDITORS)}")
        if chance.random() < 0.3:
            yield Change(moment, "Always busy", f"Editor {chance.randrange(EDITORS)}")


def floods(end: datetime) -> Iterator[Change]:
    """Of one editor alone, of one whom another helps, and of bots; nothing was known of their titles."""
    for number in range(90):
        moment = end - number * 10 * SECOND
        yield Change(moment, "Flooded", "Flooder")
        yield Change(moment, "Flooded by two", "Flooder" if number else "Helper")
        yield Change(moment, "By bots", f"Bot {number}", bot=True)


def burst() -> Iterator[Change]:
    """Of a title that was changed twice in the day before."""
    for number in range(24):
        yield Change(BEGINS + number * 2.5 * SECOND, "Quiet", f"Burst {number}")


@pytest.fixture
def day(committed: CommittedChanges, seed: int) -> CommittedChanges:
    """Its hours are closed, and the half hour since is committed."""
    chance = random.Random(seed)
    for back in range(24, 0, -1):
        start = NOON - back * HOUR
        rows = [*ordinary(chance, start, start + HOUR)]
        if back in (3, 9):
            rows.append(Change(start, "Quiet", f"Editor {back}"))
        committed.close_hour(start, rows, Coverage())
    compute_baseline(committed.data_dir)
    committed.commit(*ordinary(chance, NOON, BEGINS), *floods(BEGINS), covered=Coverage(BEGINS))
    return committed


def cache_over(committed: CommittedChanges, engine: Engine) -> tuple[Store, AnswerCache]:
    store = Store(committed.data_dir, engine, HOUR)
    return store, AnswerCache(store, Query("top", HOUR, 20), baselines=Baselines(committed.data_dir))


def titles(answers: AnswerCache) -> list[str]:
    return [row["title"] for row in listed(answers.get(ASKED).answer)]


def test_a_burst_is_first_within_half_a_minute_of_its_beginning(
    day: CommittedChanges, engine: Engine
) -> None:
    store, answers = cache_over(day, engine)
    store.refresh()
    before = titles(answers)
    assert before
    assert not {"Quiet", "By bots", "Flooded"} & set(before)
    rows = list(burst())
    for seconds in (10, 20, 30):
        until = BEGINS + seconds * SECOND
        now = [row for row in rows if until - 10 * SECOND <= row.event_time < until]
        day.commit(*now, covered=Coverage(until))
        store.refresh()
    first, second, *_ = listed(answers.get(ASKED).answer)
    assert (first["title"], first["counted"], first["before"]) == ("Quiet", 12, 2)
    assert first["surprise"] > 2 * second["surprise"]
    assert second["title"] != "Always busy"
    assert not {"By bots", "Flooded"} & set(titles(answers))


def test_a_burst_is_first_too_once_it_is_a_part_of_the_baseline(
    day: CommittedChanges, engine: Engine, seed: int
) -> None:
    """Asked for as a past moment: its own changes aren't what is usual."""
    day.close_hour(NOON, [*ordinary(random.Random(seed), NOON, NOON + HOUR), *burst()], Coverage())
    compute_baseline(day.data_dir)
    day.commit(Change(NOON + HOUR), covered=Coverage(NOON + HOUR))
    store, answers = cache_over(day, engine)
    store.refresh()
    past = PastAnswers(store, engine, day.data_dir, answers)
    asked = Query("unusual", HOUR / 2, 20, bots="exclude", to_us=microseconds(BEGINS + 60 * SECOND))
    (first, *_) = listed(past.get(asked)[0].answer)
    assert (first["title"], first["counted"], first["before"]) == ("Quiet", 24, 2)
