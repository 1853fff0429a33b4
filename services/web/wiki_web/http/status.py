"""/healthz, /readyz and /metrics."""

import math
import time
from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from wiki_common.health.server import health_text
from wiki_web.data.answer_cache import STALE_AFTER, AnswerCache
from wiki_web.data.refresher import Refresher
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
    metrics.clock_skew.set_function(
        lambda: _of_position(store, lambda position: position.ahead_of(time.time()))
    )
    metrics.empty_commits.set_function(lambda: _of_position(store, lambda position: position.empty_for))
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
    if state == "stale" and position is not None:
        silent = time.time() - position.committed_at
        if silent > STALE_AFTER:
            return f"stale: no commit for {silent:.0f} s"
        return f"stale: no change in any commit for {position.empty_for:.0f} s"
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
    return shown.answer.impossible_sizes if shown else 0


def _of_position(store: Store, value: Callable[[Position], float]) -> float:
    position = store.position
    return math.nan if position is None else value(position)


def _or_nan(value: float | None) -> float:
    """NaN is how Prometheus shows that there is no value."""
    return math.nan if value is None else value


def _text(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
