"""order=unusual on /api/v1/top: JSON as described, CSV, and what it can't be asked together with."""

import csv
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from web.committed import Change, CommittedChanges, now
from web.data.usual import write_baseline
from web.http.test_api import described_answer
from wiki_common.baseline import Covered
from wiki_web.page.formats import rfc3339

WEEK = timedelta(days=7)


@pytest.fixture
def loaded(committed: CommittedChanges, refresh: Callable[[], bool]) -> None:
    """ "New" was changed by two, "Busy" by four, "Alone" by one, and "Bots" by bots."""
    changes = [Change(now(), "New", f"User {n}") for n in range(2)]
    changes += [Change(now(), "Busy", f"User {n}", wiki="dewiki") for n in range(4)]
    changes += [Change(now(), "Alone"), *(Change(now(), "Bots", f"User {n}", bot=True) for n in range(2))]
    committed.commit(*changes)
    assert refresh()


@pytest.fixture
def covered(committed: CommittedChanges) -> Covered:
    end = now() - timedelta(hours=1)
    covered = Covered(end - WEEK, end, WEEK.total_seconds())
    write_baseline(committed.data_dir, {("dewiki", "Busy"): 1000}, covered)
    return covered


@pytest.mark.usefixtures("loaded")
def test_what_is_unusual_is_first_with_what_is_usual(client: FlaskClient, covered: Covered) -> None:
    answer = described_answer(client, "top", "?order=unusual")
    new, busy = answer["titles"]
    assert (new["title"], new["rank"], new["changes"], new["counted"], new["before"]) == ("New", 1, 2, 2, 0)
    assert (busy["title"], busy["rank"], busy["wiki"], busy["before"]) == ("Busy", 2, "dewiki", 1000)
    assert new["surprise"] > 5 > busy["surprise"] > 0
    assert 0 < new["usual"] < 0.01 < 2 < busy["usual"] < 4
    assert answer["baseline"] == {
        "from": rfc3339(covered.start),
        "to": rfc3339(covered.end),
        "watched_seconds": WEEK.total_seconds(),
    }
    assert answer["filters"] == {
        "types": ["edit", "new"],
        "bots": "exclude",
        "namespace": None,
        "wiki": None,
        "title": None,
        "editors": "all",
        "user": None,
    }
    assert answer["totals"] == {"changes": 7, "titles": 3, "editors": 5}


@pytest.mark.usefixtures("loaded", "covered")
def test_the_filters_that_leave_what_counts_alone_work(client: FlaskClient) -> None:
    def asked(query: str) -> list[str]:
        answer = described_answer(client, "top", f"?order=unusual&{query}")
        return [title["title"] for title in answer["titles"]]

    assert asked("wiki=dewiki") == ["Busy"]
    assert asked("namespace=1") == []
    assert asked("limit=1&types=new,edit&bots=exclude&window=5m") == ["New"]


@pytest.mark.usefixtures("loaded")
def test_without_a_baseline_it_is_null_and_the_most_changed_come_first(client: FlaskClient) -> None:
    answer = described_answer(client, "top", "?order=unusual")
    assert answer["baseline"] is None
    assert [title["title"] for title in answer["titles"]] == ["Busy", "New"]
    assert [title[name] for title in answer["titles"] for name in ("usual", "surprise", "before")] == [
        None
    ] * 6


def test_before_any_commit_it_has_the_same_shape(client: FlaskClient) -> None:
    assert described_answer(client, "top", "?order=unusual")["baseline"] is None


@pytest.mark.usefixtures("loaded", "covered")
def test_csv_has_these_columns_too(client: FlaskClient) -> None:
    header, *rows = csv.reader(client.get("/api/v1/top?order=unusual&format=csv").text.splitlines())
    assert header[-4:] == ["counted", "usual", "surprise", "before"]
    assert [(row[2], row[-4], row[-1]) for row in rows] == [("New", "2", "0"), ("Busy", "4", "1000")]
    plain = next(csv.reader(client.get("/api/v1/top?format=csv").text.splitlines()))
    assert plain == header[:-4]


@pytest.mark.usefixtures("loaded", "covered")
def test_the_most_changed_are_as_they_were(client: FlaskClient) -> None:
    assert client.get("/api/v1/top?order=changes").data == client.get("/api/v1/top").data
    answer = described_answer(client, "top")
    assert not {"baseline", "surprise"} & {*answer, *answer["titles"][0]}


@pytest.mark.parametrize(
    ("query", "parameter", "words"),
    [
        ("order=unusual&types=all", "types", "'all' is not edit,new, which order=unusual needs"),
        ("order=unusual&types=edit", "types", "'edit' is not edit,new"),
        ("order=unusual&bots=include", "bots", "'include' is not exclude, which order=unusual needs"),
        ("order=unusual&bots=only", "bots", "what is usual was counted of these alone"),
        ("order=surprise", "order", "'surprise' is not changes or unusual"),
        ("order=", "order", "'' is not changes or unusual"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    client: FlaskClient, query: str, parameter: str, words: str
) -> None:
    response = client.get(f"/api/v1/top?{query}")
    assert (response.status_code, response.content_type) == (400, "application/problem+json")
    problem = response.get_json()
    assert problem["parameter"] == parameter
    assert words in problem["detail"]


@pytest.mark.parametrize("kind", ["timeline", "changes", "editors"])
def test_other_lists_have_no_order(client: FlaskClient, kind: str) -> None:
    assert client.get(f"/api/v1/{kind}?order=unusual").get_json()["parameter"] == "order"
