"""The form's fields: which are offered, and what they offer."""

from datetime import timedelta

import pytest

from wiki_web.http.parameters import Parameters
from wiki_web.page.filter_form import counted, filter_fields
from wiki_web.settings import Settings

DAY = timedelta(hours=24)


@pytest.fixture
def parameters(settings: Settings) -> Parameters:
    return Parameters(settings)


@pytest.mark.parametrize(
    ("wikis", "chosen", "offered"),
    [
        ([], None, []),
        (["enwiki"], None, []),
        (["dewiki", "enwiki"], None, ["", "dewiki", "enwiki"]),
        (["enwiki"], "enwiki", ["", "enwiki"]),
        ([], "dewiki", ["", "dewiki"]),
    ],
)
def test_a_wiki_is_offered_where_there_is_a_choice(
    parameters: Parameters, wikis: list[str], chosen: str | None, offered: list[str]
) -> None:
    query = parameters.query("top", {"wiki": [chosen]} if chosen else {})
    fields = {field.name: field for field in filter_fields(query, parameters.default(), DAY, wikis)}
    assert [value for value, _ in fields["wiki"].options] == offered if offered else "wiki" not in fields


def test_no_window_is_offered_that_is_longer_than_what_is_held(parameters: Parameters) -> None:
    default = parameters.default()
    window = filter_fields(default, default, timedelta(hours=1), [])[0]
    assert [value for value, _ in window.options] == ["5m", "15m", "30m", "1h"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "edits and new pages"),
        ({"types": ["all"], "bots": ["only"]}, "all changes, by bots only"),
        (
            {"namespace": ["0,1"], "wiki": ["enwiki"], "bots": ["exclude"]},
            "edits and new pages in Articles, Talk on enwiki, without bots",
        ),
        ({"editors": ["anonymous"]}, "edits and new pages, by anonymous editors"),
        (
            {"editors": ["registered"], "user": ["Ada_L"]},
            "edits and new pages, by registered editors, by Ada L",
        ),
    ],
)
def test_what_is_counted_is_told_in_words(
    parameters: Parameters, given: dict[str, list[str]], words: str
) -> None:
    assert counted(parameters.query("top", given)) == words
