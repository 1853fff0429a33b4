"""Pages, users and comments."""

import json
import re
from collections import Counter

from stream_simulator.catalogue import DRAWS, Catalogue, Skewed
from stream_simulator.changes import Changes
from stream_simulator.names import ODD_TITLES, ODD_USERS
from stream_simulator.timeline import Timeline
from stream_simulator.wikis import WIKIS


def test_shares_of_the_wikis_add_up_to_a_thousand() -> None:
    assert sum(wiki.share for wiki in WIKIS) == 1000


def test_a_few_items_are_picked_often_and_every_draw_picks_one() -> None:
    skewed = Skewed(range(5000))
    picked = Counter(skewed.pick(draw) for draw in range(0, DRAWS, DRAWS // 50_000))
    assert 0.01 < picked[0] / picked.total() < 0.02
    assert picked[0] > 5 * picked[100] > 25 * picked[3000]
    assert skewed.pick(DRAWS - 1) == 4999
    assert Skewed(["only"]).pick(DRAWS - 1) == "only"


def test_odd_titles_and_users_are_among_the_busy_ones(catalogue: Catalogue) -> None:
    half = range(0, DRAWS // 2, DRAWS // 20_000)
    titles = {json.loads(catalogue.pages["enwiki"].pick(draw).title) for draw in half}
    users = {json.loads(catalogue.users.pick(draw)) for draw in half}
    assert set(ODD_TITLES) <= titles
    assert set(ODD_USERS) <= users
    assert any(len(title) == 250 for title in titles)
    assert any(user.startswith("~2026-") for user in users - set(ODD_USERS))


def test_wikidatas_pages_are_items_lexemes_and_properties(catalogue: Catalogue) -> None:
    pages = [catalogue.pages["wikidatawiki"].pick(draw) for draw in range(0, DRAWS, DRAWS // 20_000)]
    kinds = Counter((page.namespace, re.sub("[0-9]+", "", json.loads(page.title))) for page in pages)
    assert [kind for kind, _ in kinds.most_common()] == [(0, "Q"), (146, "Lexeme:L"), (120, "Property:P")]


def test_another_seed_has_other_pages_and_other_changes(catalogue: Catalogue) -> None:
    other, timeline = Catalogue(seed=2), Timeline(start=0, rate=33)
    assert other.pages["enwiki"].pick(7) != catalogue.pages["enwiki"].pick(7)
    assert Changes(other, timeline).change(7).id != Changes(catalogue, timeline).change(7).id
