"""The HTML pages: rendered once per commit, address and step of the clock, and shared by every viewer."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Response, render_template, request

from wiki_web.data.answer_cache import AnswerCache, CachedAnswer
from wiki_web.data.answers import history_url
from wiki_web.data.refresher import Refresher
from wiki_web.data.store import Position, Store
from wiki_web.http.parameters import ALLOWED, BadParameter, Parameters
from wiki_web.page.charts import columns, sparkline_words, unknown_columns
from wiki_web.page.formats import TEMPLATE_FORMATS
from wiki_web.page.page_cache import PageCache
from wiki_web.page.page_models import Status, Subject, page_model
from wiki_web.settings import Settings

_CLOCK_STEP: Final = 10.0  # seconds


def pages_blueprint(
    settings: Settings, parameters: Parameters, store: Store, answers: AnswerCache, refresher: Refresher
) -> Blueprint:
    """GET / with the busiest titles, GET /page?title=… with one title's changes."""
    pages = Blueprint("pages", __name__)
    cache = PageCache()
    default = parameters.default()
    for name, text_format in TEMPLATE_FORMATS.items():
        pages.add_app_template_filter(text_format, name)
    pages.add_app_template_filter(history_url)
    pages.add_app_template_global(columns)
    pages.add_app_template_global(sparkline_words)
    pages.add_app_template_global(unknown_columns)
    pages.add_app_template_global(root)

    def page(template: str, subject: Subject) -> Response:
        found = [answers.get(query) for query in subject.queries]
        # That of the main list: if a load has just ended, the other answers are newer.
        position = found[0].position
        status = _status(position)
        etags = [cached.as_json(status.state).etag for cached in found]
        # Without scripts, a page tells its age only by being rendered anew, also while no commit comes.
        steps = int((time.time() - position.committed_at) // _CLOCK_STEP) if position else 0
        # Nothing that is this process's own, such as when it took the commit in.
        identity = repr((subject, etags, status.failing, status.skew, steps))
        return cache.get(identity, lambda: _render(template, subject, status, found)).response(request)

    def _status(position: Position | None) -> Status:
        return Status(
            state=answers.state_of(position),
            rendered_at=datetime.now(UTC),
            ahead=position.ahead if position else 0.0,
            failing=refresher.failure is not None,
            progress=store.progress,
            refresh_seconds=settings.web_refresh_seconds,
        )

    def _render(template: str, subject: Subject, status: Status, found: list[CachedAnswer]) -> str:
        documents = [cached.answer.document(status.state) for cached in found]
        return render_template(template, page=page_model(settings, default, subject, status, documents))

    @pages.get("/")
    def top() -> Response:
        return page("top.html", Subject(parameters.query("top", _given(*ALLOWED["top"]))))

    @pages.get("/page")
    def title() -> Response:
        given = _given(*ALLOWED["changes"], "on")
        on = given.pop("on", None)
        query = parameters.query("changes", given)
        if query.title is None:
            raise BadParameter("title", "missing: /page?title=Main_Page shows the changes of Main Page")
        return page("page.html", Subject(replace(query, kind="top", title=None), query.title, _wiki(on)))

    def _wiki(on: list[str] | None) -> str | None:
        wikis = parameters.query("changes", {"wiki": on}).wikis if on else None
        if wikis is not None and len(wikis) != 1:
            raise BadParameter("on", "one wiki, such as enwiki")
        return wikis[0] if wikis else None

    return pages


def root() -> str:
    """The way from the requested address to the service's own root: a proxy may serve it below a prefix."""
    return "../" * (request.path.count("/") - 1) or "./"


def _given(*names: str) -> dict[str, list[str]]:
    """The request's parameters of these names, not what mailings and social networks add to links.

    A form sends fields left open as empty ones.
    """
    given = {name: [text for text in request.args.getlist(name) if text] for name in names}
    return {name: texts for name, texts in given.items() if texts}
