"""Marks beside a title: only what is notable, and nothing that the viewer chose."""

from datetime import timedelta
from typing import Any

import pytest

from web.page.ranked import ORDINARY
from wiki_web.data.documents import RankedTitle
from wiki_web.data.queries import Query
from wiki_web.page.title_marks import title_marks

QUERY = Query("top", timedelta(minutes=30), 20)


def title(**named: Any) -> RankedTitle:
    return RankedTitle(**{**ORDINARY, **named})


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({}, []),
        ({"reverts": 1}, []),
        ({"reverts": 2}, ["contested · 2 reverts"]),
        ({"created": True, "reverts": 3}, ["contested · 3 reverts", "new page"]),
        ({"top_editor_share": 0.7999}, []),
        ({"top_editor_share": 0.8}, ["one editor 80\xa0%"]),
        ({"top_editor_share": 0.9999}, ["one editor 99\xa0%"]),
        ({"anonymous_share": 0.29}, []),
        ({"anonymous_share": 0.58}, ["anonymous 58\xa0%"]),
        ({"top_editor_share": 1.0, "anonymous_share": 1.0}, ["one editor 100\xa0%", "anonymous 100\xa0%"]),
        ({"top_editor_share": 1.0, "anonymous_share": 1.0, "changes": 4}, []),
        ({"top_editor_share": None, "anonymous_share": None}, []),
    ],
)
def test_only_what_is_notable_is_told(named: dict[str, Any], words: list[str]) -> None:
    assert [mark.words for mark in title_marks(title(**named), QUERY)] == words


def test_each_mark_says_what_it_means() -> None:
    row = title(reverts=2, created=True, top_editor_share=1.0, anonymous_share=1.0)
    assert [mark.meaning for mark in title_marks(row, QUERY)] == [
        "changes that bring back an earlier size of the page, and so undo another editor’s",
        "one of these changes made the page",
        "the busiest editor’s share of these changes",
        "the share of temporary accounts and IP addresses in these changes",
    ]


@pytest.mark.parametrize("chosen", [{"user": "Ada"}, {"editors": "anonymous"}, {"editors": "registered"}])
def test_what_the_viewer_chose_is_not_told_of_each_title(chosen: dict[str, Any]) -> None:
    row = title(top_editor_share=1.0, anonymous_share=1.0, reverts=2)
    query = Query("top", QUERY.window, 20, **chosen)
    assert [mark.name for mark in title_marks(row, query)] == ["contested"]
