"""/healthz, /readyz and /metrics."""

import math
import time
from http import HTTPStatus

from flask import Blueprint, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from wiki_common.health.server import health_text
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.refresher import Refresher
from wiki_web.data.rows import moment_of
from wiki_web.data.store import Position, Store
from wiki_web.metrics import Metrics


def status_blueprint(
    store: Store, answers: AnswerCache, refresher: Refresher, metrics: Metrics, engine: str
) -> Blueprint:
    """Short texts for supervisors: 200, or 503 with the reason."""
    status = Blueprint("status", __name__)
    metrics.engine.labels(engine).set(1)
    metrics.rows_held.set_function(lambda: store.rows_held)
    metrics.commits_behind.set_function(lambda: store.commits_after(_shown_position(answers)))
    metrics.answer_age.set_function(lambda: _or_nan(answers.age()))
    metrics.clock_skew.set_function(lambda: store.position.ahead if store.position else math.nan)
    metrics.unreadable_footers.set_function(lambda: store.unreadable_footers)
    metrics.impossible_sizes.set_function(lambda: _impossible_sizes(answers))
    metrics.as_of.set_function(lambda: _as_of(answers))

    @status.get("/healthz")
    def healthz() -> Response:
        silent = refresher.hung_for()
        if silent is not None:
            return _text(health_text([f"no refresh for {silent:.0f} s"]), HTTPStatus.SERVICE_UNAVAILABLE)
        return _text(health_text([]))

    @status.get("/readyz")
    def readyz() -> Response:
        reason = not_ready(store, answers, refresher)
        return _text(f"{reason}\n", HTTPStatus.SERVICE_UNAVAILABLE) if reason else _text("ready\n")

    @status.get("/metrics")
    def prometheus() -> Response:
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)

    @status.before_app_request
    def begin() -> None:
        g.began = time.perf_counter()

    @status.after_app_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        metrics.request_seconds.labels(route, response.status_code).observe(time.perf_counter() - g.began)
        return response

    return status


def not_ready(store: Store, answers: AnswerCache, refresher: Refresher) -> str | None:
    """Why the page shows no fresh data now, None if it does."""
    if refresher.failure:
        return f"refresh fails: {refresher.failure}"
    position = store.position
    state = answers.state_of(position)
    if state == "starting":
        progress = store.progress
        return f"loading: {progress.done} of {progress.of} files" if progress.of else "no commit yet"
    if state == "empty":
        return "no change committed yet"
    if state == "stale" and position is not None and position.as_of_us is not None:
        as_of, still = moment_of(position.as_of_us), answers.still_for(position)
        return f"stale: counted up to {as_of:%H:%M:%S} UTC, and no further for {still:.0f} s"
    return None if answers.shown() else "the first answer is being computed"


def _shown_position(answers: AnswerCache) -> Position | None:
    shown = answers.shown()
    return shown.position if shown else None


def _as_of(answers: AnswerCache) -> float:
    position = _shown_position(answers)
    as_of_us = position.as_of_us if position else None
    return math.nan if as_of_us is None else as_of_us / 1_000_000


def _impossible_sizes(answers: AnswerCache) -> int:
    shown = answers.shown()
    return shown.answer.sums.impossible_sizes if shown else 0


def _or_nan(value: float | None) -> float:
    """NaN is how Prometheus shows that there is no value."""
    return math.nan if value is None else value


def _text(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
