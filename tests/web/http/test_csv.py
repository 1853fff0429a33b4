"""The answers' lists as CSV: whole texts in cells, and no cell that a spreadsheet computes."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from web.committed import Change, CommittedChanges, now
from wiki_common.coverage import Coverage, Gap

Refresh = Callable[[], bool]


def rows_of(client: FlaskClient, path: str) -> list[dict[str, str]]:
    response = client.get(path)
    assert response.content_type == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


@pytest.mark.parametrize(
    "comment",
    [
        "=1+2",
        "+1+2",
        "-1+2",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",
        "＋1",
        "－1",
        "＠SUM(A1)",
        '=HYPERLINK("x,y")',
    ],
)
def test_a_text_that_a_spreadsheet_would_compute_has_an_apostrophe_in_front(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh, comment: str
) -> None:
    committed.commit(Change(now(), "A", comment=comment))
    refresh()
    (row,) = rows_of(client, "/api/v1/changes?format=csv")
    assert row["comment"] == f"'{comment}"


@pytest.mark.parametrize(
    "text",
    ['says "so"', '"', "a,b", "one\ntwo", "one\r\ntwo", ', \n"', "1+2=3", "'quoted'", "한국어 🦊", " a "],
)
def test_any_other_text_is_the_same_again(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh, text: str
) -> None:
    committed.commit(Change(now(), "A", user=text, comment=text), Change(now(), "B", comment=None))
    refresh()
    rows = {row["title"]: row for row in rows_of(client, "/api/v1/changes?format=csv")}
    assert (rows["A"]["user"], rows["A"]["comment"]) == (text, text)
    assert rows["B"]["comment"] == ""


def test_what_is_not_known_is_an_empty_cell(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh
) -> None:
    gap = Gap(None, now() - timedelta(minutes=2))
    committed.commit(Change(now(), "A"), covered=Coverage(now(), (gap,)))
    refresh()
    minutes = rows_of(client, "/api/v1/timeline?window=5m&format=csv")
    assert [row["changes"] for row in minutes][:2] + [row["changes"] for row in minutes][-1:] == ["", "", "1"]
    assert (minutes[0]["editors"], minutes[0]["bytes"]) == ("", "")
    (title,) = rows_of(client, "/api/v1/top?window=5m&format=csv")
    assert title["per_minute"].split(" ")[:2] == ["", ""]
    assert len(title["per_minute"].split(" ")) == 5


def test_the_marks_of_a_title_are_its_last_columns(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh
) -> None:
    committed.commit(
        Change(now() - timedelta(seconds=2), "A", "Ada", length_old=9, length_new=5),
        Change(now() - timedelta(seconds=1), "A", "~2026-1-1", length_old=5, length_new=9),
        Change(now(), "B", None, type="new", length_old=None),
    )
    refresh()
    marks = ["created", "reverts", "top_editor_share", "anonymous_share"]
    rows = rows_of(client, "/api/v1/top?format=csv")
    assert list(rows[0])[-4:] == marks
    assert [[row[name] for name in marks] for row in rows] == [
        ["false", "1", "0.5", "0.5"],
        ["true", "0", "", ""],
    ]


def test_numbers_stay_numbers_also_below_zero(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh
) -> None:
    committed.commit(Change(now(), "A", bot=True, length_old=100, length_new=10))
    refresh()
    (change,) = rows_of(client, "/api/v1/changes?format=csv")
    assert (change["bytes"], change["bot"], change["minor"]) == ("-90", "true", "false")
    (title,) = rows_of(client, "/api/v1/top?format=csv")
    assert (title["rank"], title["per_minute"]) == ("1", " ".join(["0"] * 29 + ["1"]))
