"""The HTML pages: rendered once per commit, address and step of the clock, and shared by every viewer."""

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from flask import Blueprint, Response, render_template, request

from wiki_web.data.answer_cache import CachedAnswer
from wiki_web.data.documents import State
from wiki_web.data.links import history_url
from wiki_web.data.past.kept import Kept
from wiki_web.data.past.moment import from_field
from wiki_web.data.past.past_answers import PastAnswers
from wiki_web.data.reasons import FirstReasons, Reasons, first_of, reasons_in
from wiki_web.data.refresher import Refresher
from wiki_web.data.store import Store
from wiki_web.http.parameters import ALLOWED, BadParameter, Parameters, is_wiki
from wiki_web.page.charts import columns, sparkline_words, unknown_columns
from wiki_web.page.formats import TEMPLATE_FORMATS
from wiki_web.page.freshness import Status
from wiki_web.page.page_cache import PageCache
from wiki_web.page.page_models import page_model
from wiki_web.page.subject import Subject
from wiki_web.settings import Settings

_CLOCK_STEP: Final = 10.0  # seconds


def pages_blueprint(
    settings: Settings,
    parameters: Parameters,
    store: Store,
    answers: PastAnswers,
    refresher: Refresher,
    first_reasons: FirstReasons,
) -> Blueprint:
    """GET / with the busiest titles, GET /page?title=… with one title's changes."""
    pages = Blueprint("pages", __name__)
    cache = PageCache()
    default = parameters.default()
    # All that were met: who looks at one wiki can choose another, and choices don't go under the pointer. One
    # page at a time is rendered, so one thread at a time has this set.
    wikis: set[str] = set()
    for name, text_format in TEMPLATE_FORMATS.items():
        pages.add_app_template_filter(text_format, name)
    pages.add_app_template_filter(history_url)
    pages.add_app_template_global(columns)
    pages.add_app_template_global(sparkline_words)
    pages.add_app_template_global(unknown_columns)
    pages.add_app_template_global(root)

    def page(template: str, subject: Subject) -> Response:
        # If a load has just ended, the answers beside the main one are newer; so is their state.
        found, state = _found(answers, subject)
        main, _, changes = found
        status, kept = _status(main, state), answers.kept()
        past = state == "past"
        reasons = reasons_in(changes.answer, main.answer) if past else first_reasons.of(main.answer)
        etags = [cached.as_json(state).etag for cached in found]
        # Nothing that is this process's own, such as when it took the commit in.
        of_reasons = [[change.id for change in of_title] for of_title in reasons.values()]
        told = status.failing, status.skew, _age(main, state)
        identity = repr((subject, etags, of_reasons, told, kept.key))
        render = partial(_render, template, subject, status, found, kept, reasons)
        return cache.get(identity, render).response(request)

    def _status(main: CachedAnswer, state: State) -> Status:
        live = Status(
            state=state,
            rendered_at=datetime.now(UTC),
            ahead=main.position.ahead if main.position else 0.0,
            failing=refresher.failure is not None,
            progress=store.progress,
            refresh_seconds=settings.web_refresh_seconds,
        )
        return live.at(main.answer.as_of) if state == "past" else live

    def _render(
        template: str,
        subject: Subject,
        status: Status,
        found: list[CachedAnswer],
        kept: Kept,
        reasons: Reasons,
    ) -> str:
        wikis.update(_wikis_of((found[0], answers.shown())))
        documents = [cached.answer.document(status.state) for cached in found]
        model = page_model(settings, default, subject, status, documents, wikis, kept, reasons)
        return render_template(template, page=model)

    @pages.get("/")
    def top() -> Response:
        return page("top.html", Subject(parameters.query("top", _given(*ALLOWED["top"]))))

    @pages.get("/page")
    def title() -> Response:
        given = _given(*ALLOWED["top"], "title", "on")
        on, title = given.pop("on", None), given.pop("title", None)
        if title is None:
            raise BadParameter("title", "missing: /page?title=Main_Page shows the changes of Main Page")
        named = parameters.query("changes", {"title": title}).title
        return page("page.html", Subject(parameters.query("top", given), named, _wiki(on)))

    def _wiki(on: list[str] | None) -> str | None:
        wikis = parameters.query("changes", {"wiki": on}).wikis if on else None
        if wikis is not None and len(wikis) != 1:
            raise BadParameter("on", "one wiki, such as enwiki")
        return wikis[0] if wikis else None

    return pages


def root() -> str:
    """The way from the requested address to the service's own root: a proxy may serve it below a prefix."""
    return "../" * (request.path.count("/") - 1) or "./"


def _found(answers: PastAnswers, subject: Subject) -> tuple[list[CachedAnswer], State]:
    """The answers to the subject's queries, and the main one's state.

    The newest changes of a past moment have those of the first titles beside them: to ask for these would be
    to read the same once more.
    """
    of_main, of_timeline, of_changes = subject.queries
    main, state = answers.get(of_main)
    if state == "past":
        first = {title.title for title in first_of(main.answer)}
        of_changes = replace(of_changes, reasons_of=tuple(sorted(first)))
    return [main, *(answers.get(query)[0] for query in (of_timeline, of_changes))], state


def _wikis_of(answers: Iterable[CachedAnswer | None]) -> set[str]:
    """The wikis of what these answers count, if they can be asked for."""
    return {wiki for each in answers if each for wiki in each.answer.sums.wikis if is_wiki(wiki)}


def _age(main: CachedAnswer, state: State) -> int:
    """In steps of the clock: without scripts a page tells its age only by being rendered anew."""
    position = main.position
    if position is None or state == "past":
        return 0
    return int((time.time() - position.committed_at) // _CLOCK_STEP)


def _given(*names: str) -> dict[str, list[str]]:
    """The request's parameters of these names, not what mailings and social networks add to links.

    A form sends fields left open as empty ones, and a moment without its zone, which is UTC.
    """
    given = {name: [text for text in request.args.getlist(name) if text] for name in names}
    given["to"] = [from_field(text) for text in given["to"]]
    return {name: texts for name, texts in given.items() if texts}
