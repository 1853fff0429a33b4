"""Writes the dashboard that Grafana shows: .venv/bin/python scripts/dashboard.py"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

TARGET: Final = Path(__file__).resolve().parents[1] / "services/observe/grafana/dashboard.json"

_SOURCE: Final = {"type": "prometheus", "uid": "prometheus"}
_SERVICES: Final = '{job=~"producer|consumer|web|kafka"}'


@dataclass(frozen=True)
class Panel:
    """A picture: `queries` by legend, what they mean in `says`, and from which values on they are colored."""

    title: str
    unit: str
    queries: dict[str, str]
    says: str
    kind: str = "timeseries"
    width: int = 6
    colors: dict[float, str] = field(default_factory=dict)
    words: dict[int, str] = field(default_factory=dict)
    logarithmic: bool = False


def _quantile(share: float, histogram: str, where: str = "") -> str:
    rate = f"sum by (le) (rate({histogram}_bucket{where}[$__rate_interval]))"
    return f"histogram_quantile({share}, {rate})"


def _rate(counter: str, by: str = "") -> str:
    by = f" by ({by})" if by else ""
    return f"sum{by} (rate({counter}[$__rate_interval]))"


# Each with its height: all of it is one screen.
_ROWS: Final = (
    (
        4,
        [
            Panel(
                "Behind", "s",
                # At the time it was read, which is up to 15 seconds ago.
                {"page": "timestamp(wiki_web_as_of_timestamp_seconds) - wiki_web_as_of_timestamp_seconds"},
                "How long ago the time is up to which the page counts everything.",
                kind="stat", width=4, colors={0: "green", 10: "orange", 30: "red"},
            ),
            Panel(
                "Up", "none", {"{{job}}": f"up{_SERVICES}"},
                "Which service answers. The first red one on the way to the page is the one to look at.",
                kind="stat", width=8, colors={0: "red", 1: "green"}, words={0: "down", 1: "up"},
            ),
            Panel(
                "Alerts", "none", {"{{alertname}} {{job}}": 'ALERTS{alertstate="firing"}'},
                "What docs/alerts.md has a section for. Empty: all is well.",
                kind="stat", width=6, colors={0: "red"}, words={1: "firing"},
            ),
            Panel(
                "Restarts in the last hour", "none",
                {"{{job}}": f"changes(process_start_time_seconds{_SERVICES}[1h])"},
                "How often each was started again.", kind="stat", colors={0: "green", 1: "orange", 3: "red"},
            ),
        ],
    ),
    (
        7,
        [
            Panel(
                "Late by stage, 95 of 100 are quicker", "s",
                {
                    "stream to topic": _quantile(0.95, "wiki_producer_freshness_seconds"),
                    "topic to file": _quantile(0.95, "wiki_consumer_freshness_seconds", '{record="oldest"}'),
                    "file to answer": _quantile(0.95, "wiki_web_committed_to_answer_seconds"),
                    "stream to answer": _quantile(0.95, "wiki_web_behind_seconds"),
                },
                "The stage that grows is the one to look at.",
                width=12, logarithmic=True,
            ),
            Panel(
                "Batch and refresh", "s",
                {
                    "batch, half": _quantile(0.5, "wiki_consumer_batch_duration_seconds"),
                    "batch, 95 of 100": _quantile(0.95, "wiki_consumer_batch_duration_seconds"),
                    "refresh, half": _quantile(0.5, "wiki_web_refresh_seconds"),
                    "refresh, 95 of 100": _quantile(0.95, "wiki_web_refresh_seconds"),
                },
                "How long the consumer takes for a batch, and the page for an answer.",
            ),
            Panel(
                "Lag", "s",
                {
                    "producer behind the stream": "wiki_producer_stream_lag_seconds",
                    "consumer behind the topic": "wiki_consumer_lag_seconds",
                    "consumer, counted up to": "wiki_consumer_as_of_age_seconds",
                },
                "A lag that grows means that who reads is slower than who writes.",
            ),
        ],
    ),
    (
        7,
        [
            Panel(
                "In and out", "cps",
                {
                    "events read": _rate("wiki_producer_events_read_total"),
                    "changes kept": _rate("wiki_producer_events_kept_total"),
                    "heartbeats sent": _rate("wiki_producer_heartbeats_sent_total"),
                    "records acknowledged": _rate("wiki_producer_records_acknowledged_total"),
                    "records read": _rate("wiki_consumer_records_total"),
                    "rows committed": _rate("wiki_consumer_rows_total"),
                },
                "From the stream to the files. Records are changes and heartbeats.",
            ),
            Panel(
                "Rejected and dropped", "cps",
                {
                    "rejected: {{reason}}": _rate("wiki_producer_events_rejected_total", "reason"),
                    "not wanted: {{reason}}": _rate("wiki_producer_events_dropped_total", "reason"),
                    "late": _rate("wiki_consumer_late_total"),
                    "in the future": _rate("wiki_consumer_future_total"),
                    "malformed": _rate("wiki_consumer_malformed_total"),
                    "there already": _rate("wiki_consumer_duplicates_total"),
                },
                "Other wikis and canaries are not wanted; all else should be near zero.",
            ),
            Panel(
                "Waiting", "none",
                {
                    "on the way to the broker": "wiki_producer_records_in_flight",
                    "in the topic": "wiki_consumer_lag_records",
                    "commits not answered": "wiki_web_commits_behind",
                },
                "What is there and not yet further.",
            ),
            Panel(
                "Requests and viewers", "none",
                {
                    "requests a second": _rate("wiki_web_request_seconds_count"),
                    "viewers with a stream": "wiki_web_streams",
                    "reconnects a minute": "60 * " + _rate("wiki_producer_reconnects_total"),
                },
                "The load on the page, and how often the stream had to be opened again.",
            ),
        ],
    ),
    (
        7,
        [
            Panel(
                "Memory", "bytes",
                {
                    "producer": "wiki_producer_memory_bytes",
                    "consumer": "wiki_consumer_memory_bytes",
                    "web": "wiki_web_memory_bytes",
                    "broker": 'process_resident_memory_bytes{job="kafka"}',
                },
                "Resident, with the JVMs that they started.",
            ),
            Panel(
                "State", "none",
                {"ids remembered": "wiki_consumer_state_rows", "rows held by the page": "wiki_web_rows_held"},
                "Both follow the rate: ids for MAX_EVENT_AGE, rows for WEB_MAX_WINDOW, up to some 600,000.",
            ),
            Panel(
                "Disk below DATA_DIR", "bytes",
                {
                    "left": "wiki_consumer_disk_free_bytes",
                    "used, by whomever": "wiki_consumer_disk_used_bytes",
                    "state store": "wiki_consumer_state_bytes",
                    "the topic": 'sum(kafka_log_size{topic!~"__.*"})',
                },
                "The consumer stops when nothing is left, and goes on when there is room again.",
            ),
            Panel(
                "Files and maintenance", "none",
                {
                    "files in changes": "wiki_consumer_raw_files",
                    "minutes since the maintenance": "wiki_consumer_maintenance_age_seconds / 60",
                    "failures in the last hour": "increase(wiki_consumer_maintenance_failures_total[1h])",
                    "failed refreshes in the last hour": "increase(wiki_web_refresh_failures_total[1h])",
                },
                "Files go when their hour is closed, and empty ones after ten minutes.",
            ),
        ],
    ),
)  # fmt: skip


def _grafana(panel: Panel, number: int, x: int, y: int, height: int) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.colors:
        steps = [{"color": color, "value": limit or None} for limit, color in panel.colors.items()]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    if panel.words:
        options = {str(value): {"text": text} for value, text in panel.words.items()}
        defaults["mappings"] = [{"type": "value", "options": options}]
    if panel.logarithmic:
        defaults["custom"] = {"scaleDistribution": {"type": "log", "log": 10}}
    return {
        "id": number,
        "title": panel.title,
        "description": panel.says,
        "type": panel.kind,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": height},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"textMode": "value_and_name", "colorMode": "background"} if panel.kind == "stat" else {},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": query,
                "legendFormat": legend,
                # Else an alert that is over would be shown for an hour.
                "instant": panel.kind == "stat",
            }
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }


def _panels() -> Iterator[dict[str, Any]]:
    numbers, y = count(1), 0
    for height, panels in _ROWS:
        x = 0
        for panel in panels:
            yield _grafana(panel, next(numbers), x, y, height)
            x += panel.width
        y += height


def dashboard() -> str:
    """The dashboard as Grafana reads it."""
    model = {
        "uid": "wiki-live-top",
        "title": "Live top of Wikipedia",
        "description": "Is it well, and if not, which part?",
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "utc",
        "panels": list(_panels()),
    }
    return json.dumps(model, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(dashboard(), encoding="utf-8")
