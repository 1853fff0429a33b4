"""What there is to tell: nothing before all answers of a commit are there."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from web.committed import Change, CommittedChanges, now
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.queries import Query
from wiki_web.data.store import Store
from wiki_web.push.events import Event, newest_event

DEFAULT = Query("top", timedelta(minutes=30), 20)


@pytest.fixture
def held(committed: CommittedChanges, duckdb_engine: DuckDBEngine) -> Store:
    return Store(committed.data_dir, duckdb_engine, timedelta(hours=24))


@pytest.fixture
def answers(held: Store) -> AnswerCache:
    return AnswerCache(held, DEFAULT)


def told(answers: AnswerCache, failing: bool = False) -> Event:
    event = newest_event(answers, failing)
    assert event is not None
    return event


def test_before_the_first_commit_that_is_what_is_told(answers: AnswerCache) -> None:
    data = json.loads(told(answers).block.split(b"data: ")[1])
    assert data["as_of"] is None
    assert data["state"] == "starting"


def test_a_commit_is_told_once_all_answers_asked_for_lately_are_at_it(
    committed: CommittedChanges, held: Store, answers: AnswerCache
) -> None:
    """Else a viewer of another answer would fetch the old one, and not be told again."""
    committed.commit(Change(now(), "A"))
    held.refresh()
    answers.get(DEFAULT)
    assert newest_event(answers, failing=False) is None
    answers.refresh()
    first = told(answers)
    committed.commit(Change(now(), "B"))
    held.refresh()
    answers.get(DEFAULT)
    assert told(answers) == first
    answers.refresh()
    assert told(answers).id != first.id


def test_that_refreshes_fail_is_told(committed: CommittedChanges, held: Store, answers: AnswerCache) -> None:
    committed.commit(Change(now(), "A"))
    held.refresh()
    answers.refresh()
    assert told(answers).id != told(answers, failing=True).id


def test_the_etag_is_that_of_the_default_answer(
    app: Flask, client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool]
) -> None:
    committed.commit(Change(now(), "A"))
    refresh()
    streams = app.extensions["streams"]
    data = json.loads(streams.newest().block.split(b"data: ")[1])
    assert f'"{data["etag"]}"' == client.get("/api/v1/top").headers["ETag"]
