"""The application: all parts wired together."""

from typing import Final

from flask import Flask
from werkzeug.exceptions import HTTPException

import wiki_web.page
from wiki_web.data.answer_cache import AnswerCache, Busy
from wiki_web.data.baseline import Baselines
from wiki_web.data.bursts import Bursts
from wiki_web.data.engines.choice import open_engine
from wiki_web.data.engines.engine import Engine, EngineError
from wiki_web.data.long_queries import TooManyChanges
from wiki_web.data.past.past_answers import OutOfReach, PastAnswers
from wiki_web.data.reasons import FirstReasons
from wiki_web.data.refresher import Refresher
from wiki_web.data.store import Store
from wiki_web.http.activity import activity_summary
from wiki_web.http.api import api_blueprint
from wiki_web.http.feed import feed_blueprint
from wiki_web.http.open_files import MOST_STREAMS
from wiki_web.http.parameters import BadParameter, Parameters
from wiki_web.http.problems import (
    bad_parameter,
    busy,
    engine_failed,
    html_for_browsers,
    http_error,
    out_of_reach,
    too_many_changes,
)
from wiki_web.http.request_ids import name_requests
from wiki_web.http.security import secure
from wiki_web.http.status import status_blueprint
from wiki_web.metrics import Metrics
from wiki_web.page.pages import pages_blueprint
from wiki_web.push.events import Event, newest_event
from wiki_web.push.pace import InFlight, Pace
from wiki_web.push.stream_route import stream_blueprint
from wiki_web.push.streams import Streams
from wiki_web.settings import Settings

# Listing thousands of files takes many times as long as asking for the next one.
_PERIODS_PER_LIST: Final = 5


def create_app(settings: Settings, engine: Engine | None = None, most_streams: int = MOST_STREAMS) -> Flask:
    """The app of one process, answering from `engine` (else the one the settings name).

    Its refresher is `app.extensions["refresher"]`, its streams `app.extensions["streams"]`, neither started
    yet. `app.extensions["reasons"]` works on demand. All three have to be stopped. Raises EngineDied if no
    engine starts.
    """
    metrics = Metrics()
    parameters = Parameters(settings)
    period = settings.web_refresh_seconds
    engine = engine or open_engine(settings)
    store = Store(
        settings.data_dir,
        engine,
        settings.web_max_window,
        list_every=_PERIODS_PER_LIST * period,
    )
    baselines = Baselines(settings.data_dir)
    answers = AnswerCache(store, parameters.default(), baselines=baselines)
    refresher = Refresher(store, answers, period, metrics)
    any_moment = PastAnswers(store, engine, settings.data_dir, answers)
    bursts = Bursts(store, engine, settings.web_max_window, any_moment.turns, baselines=baselines)
    reasons = FirstReasons(store)

    app = Flask(wiki_web.page.__name__)  # where templates and static files are
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions["refresher"], app.extensions["reasons"] = refresher, reasons
    app.extensions["streams"] = streams = _streams(app, settings, answers, refresher, most_streams)
    metrics.streams.set_function(lambda: len(streams))
    refresher.watched = activity_summary(store, answers, metrics).look
    name_requests(app)
    app.register_blueprint(status_blueprint(store, answers, refresher, metrics, settings.web_engine))
    secure(app)
    app.register_blueprint(api_blueprint(settings, parameters, any_moment))
    app.register_blueprint(feed_blueprint(parameters, bursts))
    app.register_blueprint(stream_blueprint(streams))
    app.register_blueprint(pages_blueprint(settings, parameters, store, any_moment, refresher, reasons))
    app.register_error_handler(BadParameter, html_for_browsers(bad_parameter))
    app.register_error_handler(TooManyChanges, html_for_browsers(too_many_changes))
    app.register_error_handler(OutOfReach, html_for_browsers(out_of_reach))
    app.register_error_handler(Busy, html_for_browsers(busy))
    app.register_error_handler(EngineError, html_for_browsers(engine_failed))
    app.register_error_handler(HTTPException, html_for_browsers(http_error))
    return app


def _streams(
    app: Flask, settings: Settings, answers: AnswerCache, refresher: Refresher, most: int
) -> Streams:
    """Told by `refresher`, and at a pace that goes by what `app` has to do."""
    period = settings.web_refresh_seconds
    in_flight = InFlight(app.wsgi_app)
    app.wsgi_app = in_flight  # type: ignore[method-assign]  # Flask's own way to wrap an application

    def newest() -> Event | None:
        return newest_event(answers, refresher.failure is not None)

    streams = Streams(newest, Pace(period, in_flight.is_busy), period, most)
    refresher.told = streams.wake
    return streams
