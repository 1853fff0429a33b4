"""The pages over HTTP: while a load ends, from the cache, compressed, and not again when nothing changed."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from web.committed import Change, CommittedChanges, now
from wiki_web.queries import Query
from wiki_web.snapshots import Snapshot, Snapshots


@pytest.fixture
def load_ends_after_the_first_answer(
    monkeypatch: pytest.MonkeyPatch, committed: CommittedChanges, refresh: Callable[[], bool]
) -> None:
    """The first answer is from before the load, what follows in the same request is from after it."""
    committed.commit(Change(now(), "A"))
    answer = Snapshots.get

    def then_load(snapshots: Snapshots, query: Query) -> Snapshot:
        answered = answer(snapshots, query)
        refresh()
        return answered

    monkeypatch.setattr(Snapshots, "get", then_load)


@pytest.mark.usefixtures("load_ends_after_the_first_answer")
@pytest.mark.parametrize("path", ["/", "/page?title=A"])
def test_a_page_asked_for_while_the_load_ends_is_a_start_then_live(client: FlaskClient, path: str) -> None:
    first, second = client.get(path), client.get(path)
    assert (first.status_code, second.status_code) == (200, 200)
    assert 'data-state="starting"' in first.text
    assert 'data-state="live"' in second.text


@pytest.mark.usefixtures("load_ends_after_the_first_answer")
def test_an_answer_without_a_time_is_not_live(client: FlaskClient) -> None:
    answers = [client.get("/api/v1/top").get_json() for _ in range(2)]
    assert [answer["state"] for answer in answers] == ["starting", "live"]
    assert [answer["as_of"] is None for answer in answers] == [True, False]
    assert [answer["loading"] is None for answer in answers] == [False, True]
