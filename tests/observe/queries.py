"""The queries of rules and dashboard, and which metrics they ask for."""

import json
import re
from dataclasses import dataclass
from typing import Any

import yaml

from local_stack.broker import ROOT

RULES = ROOT / "services/observe/alerts.yaml"
DASHBOARD = ROOT / "services/observe/grafana/dashboard.json"

_TEXT = re.compile(r'"[^"]*"')
_LABELS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_SELECTION = re.compile(r"\{[^}]*\}|\[[^]]*\]")
_NAME = re.compile(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()")
_OPERATORS = {"and", "or", "unless", "bool", "offset", "by", "without"}
# Prometheus makes these itself.
_OWN = {"up", "ALERTS"}


@dataclass(frozen=True)
class Alert:
    name: str
    expr: str
    waits: str
    severity: str
    summary: str
    runbook: str


def alerts() -> list[Alert]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [
        Alert(
            rule["alert"],
            rule["expr"],
            rule["for"],
            rule["labels"]["severity"],
            rule["annotations"]["summary"],
            rule["annotations"]["runbook"],
        )
        for group in groups
        for rule in group["rules"]
    ]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def queries() -> list[str]:
    """Of the dashboard and the rules, as Prometheus takes them."""
    of_panels = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [as_asked(query) for query in of_panels] + [each.expr for each in alerts()]


def as_asked(query: str) -> str:
    """A panel's query as Grafana asks it of a Prometheus that looks every 15 seconds."""
    return query.replace("$__rate_interval", "1m")


def metrics_of(query: str) -> set[str]:
    """The names of metrics in it that a service has to expose."""
    for pattern in (_TEXT, _LABELS, _SELECTION):
        query = pattern.sub(" ", query)
    return set(_NAME.findall(query)) - _OPERATORS - _OWN
