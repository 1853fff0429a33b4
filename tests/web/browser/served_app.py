"""The app in this process, for states that a service of its own passes too quickly to be looked at."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from werkzeug.serving import make_server

from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Progress
from wiki_web.data.rows import Hour
from wiki_web.http.app import create_app
from wiki_web.settings import Settings


class HeldEngine(DuckDBEngine):
    """Its first load waits for `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def load(self, hours: Sequence[Hour], tail: pa.Table, horizon_us: int, progress: Progress) -> None:
        self.go.wait()
        super().load(hours, tail, horizon_us, progress)


class ServedApp:
    """Serves the rows below `data_dir` from its start to `stop`, which ends what it started."""

    def __init__(self, data_dir: Path) -> None:
        self.engine = HeldEngine()
        settings = Settings(
            data_dir=data_dir, web_engine="duckdb", web_refresh_seconds=1, bind_address="127.0.0.1"
        )
        self.app = create_app(settings, self.engine)
        self._server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.app.extensions["refresher"].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self.engine.go.set()
        self.app.extensions["refresher"].stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.app.extensions["reasons"].stop()
        self.engine.close()
