"""The dashboard as pictures, under load and in a fault, without Grafana: what its queries find is drawn here.

scripts/screenshot runs this.
"""

import re
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

from dashboard_drawing import HEIGHT, WIDTH, Series, Span, page
from harness.processes import Process
from harness.prometheus import Prometheus
from harness.run_local import RunLocal
from observe.queries import as_asked, panels
from page_picture import say, shown

_SPAN: Final = 5 * 60  # seconds that are shown
_BEFORE: Final = 2 * 60  # seconds of load before those, without a trace of the start in any rate
_STEP: Final = 15  # seconds, as often as Prometheus looks
_VIEWERS: Final = 10
_PATIENCE: Final = 300  # seconds


def take_pictures(folder: Path) -> None:
    """Writes a PNG of the load and one of the fault into `folder`."""
    with tempfile.TemporaryDirectory(prefix="dashboard-pictures-") as name, ExitStack() as started:
        room = Path(name)
        say("the services start, with Prometheus")
        local = started.enter_context(
            closing(RunLocal(room, "--simulate", "--observe", env={"WEB_ENGINE": "duckdb"}))
        )
        local.wait_for_line("the page is ready", timeout=_PATIENCE)
        viewers = ("benchmarks.viewers", str(local.web_port), str(_VIEWERS), "3600", "--told")
        started.callback(Process((sys.executable, "-m", *viewers), log=room / "viewers.log").kill)
        say(f"{(_SPAN + _BEFORE) // 60} minutes of load pass")
        _let_pass(_SPAN + _BEFORE, local)
        prometheus = Prometheus(local.ports["PROMETHEUS_PORT"])
        _photograph(prometheus, room, folder / "dashboard-load.png")
        with local.suspended("wiki_consumer"):
            say("the consumer hangs, until alerts tell")
            prometheus.wait_until_firing("ServiceDown consumer", "PageBehind web", timeout=_PATIENCE)
            _photograph(prometheus, room, folder / "dashboard-fault.png")


def _let_pass(seconds: float, local: RunLocal) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        local.assert_runs()
        time.sleep(1)


def _photograph(prometheus: Prometheus, room: Path, picture: Path) -> None:
    now = time.time()
    span = Span(now - _SPAN, now, _STEP)
    model = panels()
    found = {panel["id"]: _answers(prometheus, panel, span) for panel in model}
    drawn = room / "dashboard.html"
    note = "drawn from the dashboard's queries, without Grafana"
    drawn.write_text(page("Live top of Wikipedia", note, found, model, span), encoding="utf-8")
    with shown(drawn.as_uri(), WIDTH, HEIGHT) as browser:
        browser.screenshot(path=picture)
    say(f"{picture}: {picture.stat().st_size // 1024} kB")


def _answers(prometheus: Prometheus, panel: Mapping[str, Any], span: Span) -> list[Series]:
    found = []
    for target in panel["targets"]:
        query = as_asked(target["expr"])
        if target["instant"]:
            answers = [(labels, [(span.end, value)]) for labels, value in prometheus.values(query)]
        else:
            answers = prometheus.ranges(query, span.start, span.end, span.step)
        found += [Series(_legend(target["legendFormat"], labels), points) for labels, points in answers]
    return found


def _legend(form: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda name: labels.get(name[1], ""), form).strip()


if __name__ == "__main__":
    take_pictures(Path(sys.argv[1]))
