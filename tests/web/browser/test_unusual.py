"""What is unusual: one click away and back, in words, in the form too, and without scripts."""

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from web.browser.conftest import OpenTab
from web.browser.running_web import RunningWeb
from web.committed import Change, CommittedChanges, now
from web.data.usual import write_baseline
from wiki_common.baseline import Covered

pytestmark = pytest.mark.slow

WEEK = timedelta(days=7)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_what_is_unusual_is_a_click_away(
    web: RunningWeb, committed: CommittedChanges, tab: OpenTab, scripts: bool
) -> None:
    (web.data_dir / "baseline.parquet").unlink(missing_ok=True)
    committed.commit(*(Change(now(), "Suddenly", f"User {n}", namespace=118) for n in range(3)))
    options: dict[str, Any] = {"java_script_enabled": scripts}
    page = tab(web, **options).open("/?namespace=118")
    page.get_by_role("link", name="Unusual now").click()
    expect(page).to_have_url(f"{web.url}/?order=unusual&namespace=118")
    expect(page.get_by_role("heading", name="Unusual now")).to_be_visible()
    expect(page.locator(".note")).to_contain_text("What is usual isn’t known yet")
    write_baseline(committed.data_dir, {}, Covered(now() - WEEK, now(), WEEK.total_seconds()))
    committed.commit(Change(now(), "Tick", type="log"))
    words = page.locator("#titles tr", has_text="Suddenly").locator(".usual")
    expect(words).to_have_text("first changes in a week")
    expect(page.locator(".note")).to_have_count(0)
    page.locator("#filters").get_by_label("1 h", exact=True).click()
    if not scripts:
        page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"order=unusual&window=1h.*namespace=118"))
    expect(page.locator("#chart-heading")).to_contain_text("1 h")
    expect(words).to_be_visible()
    page.get_by_role("link", name="Why: Suddenly").click()
    expect(page).to_have_url(re.compile(r"/page\?title=Suddenly&.*order=unusual&window=1h.*namespace=118"))
    page.locator("#filters").get_by_label("30 min", exact=True).click()
    if not scripts:
        page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("title=Suddenly.*order=unusual"))
    expect(page.locator("#chart-heading")).to_contain_text("30 min")
    page.get_by_role("link", name="Live top of Wikipedia").click()
    expect(page.get_by_role("heading", name="Unusual now")).to_be_visible()
    expect(words).to_be_visible()
    page.get_by_role("link", name="Most changed").click()
    expect(page).to_have_url(f"{web.url}/?namespace=118")
    expect(words).to_have_count(0)
