"""The application: parts wired together, the refresher running."""

from flask import Flask
from werkzeug.exceptions import HTTPException

from wiki_web.api import api_blueprint
from wiki_web.engines import Engine, EngineError, open_engine
from wiki_web.error_pages import for_people
from wiki_web.metrics import Metrics
from wiki_web.pages import pages_blueprint
from wiki_web.parameters import BadParameter, Parameters
from wiki_web.problems import bad_parameter, busy, engine_failed, http_error
from wiki_web.refresher import Refresher
from wiki_web.security import secure
from wiki_web.settings import Settings
from wiki_web.snapshots import Busy, Snapshots
from wiki_web.status import status_blueprint
from wiki_web.store import Store


def create_app(settings: Settings, engine: Engine | None = None) -> Flask:
    """The app of one process, answering from `engine` (else the one the settings name).

    Its refresher is `app.extensions["refresher"]`, not yet started. Raises EngineDied if no engine starts.
    """
    metrics = Metrics()
    parameters = Parameters(settings)
    store = Store(settings.data_dir, engine or open_engine(settings), settings.web_max_window)
    snapshots = Snapshots(store, parameters.default())
    refresher = Refresher(store, snapshots, settings.web_refresh_seconds, metrics)

    app = Flask(__name__)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions["refresher"] = refresher
    app.register_blueprint(status_blueprint(store, snapshots, refresher, metrics, settings.web_engine))
    secure(app)
    app.register_blueprint(api_blueprint(settings, parameters, snapshots))
    app.register_blueprint(pages_blueprint(settings, parameters, store, snapshots, refresher))
    app.register_error_handler(BadParameter, for_people(bad_parameter))
    app.register_error_handler(Busy, for_people(busy))
    app.register_error_handler(EngineError, for_people(engine_failed))
    app.register_error_handler(HTTPException, for_people(http_error))
    return app
