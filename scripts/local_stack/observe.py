"""Prometheus beside the stack: what it reads, by which rules it warns, and how it reads the broker."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from local_stack.broker import ROOT

RULES: Final = ROOT / "services/observe/alerts.yaml"
_AGENT: Final = ROOT / ".local/broker-metrics"
_BROKER_METRICS: Final = ROOT / "services/observe/kafka/metrics.yaml"


def configuration(targets: Mapping[str, str], rules: Path, interval: str = "15s") -> str:
    """Prometheus' configuration. `targets` are addresses by job; `rules` is a pattern for files."""
    jobs = [{"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in targets.items()]
    every = {"scrape_interval": interval, "evaluation_interval": interval}
    # JSON is YAML, too.
    return json.dumps({"global": every, "rule_files": [str(rules)], "scrape_configs": jobs}, indent=2)


def prometheus(
    targets: Mapping[str, str], *, address: str, data: Path, plain_folder: Path
) -> tuple[str, ...]:
    """The command line of a Prometheus that answers on `address` and keeps its data below `data`.

    It gets its rules by a link in `plain_folder`, whose path is no pattern.
    """
    rules, config = plain_folder / RULES.name, plain_folder / "prometheus.json"
    rules.symlink_to(RULES)
    config.write_text(configuration(targets, rules), encoding="utf-8")
    return (
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    )


def broker_agent(address: str, plain_folder: Path) -> str:
    """Java's option for a broker that Prometheus reads at `address`. The option can't have every path."""
    [jar] = _AGENT.glob("*.jar")
    agent, config = plain_folder / "agent.jar", plain_folder / _BROKER_METRICS.name
    agent.symlink_to(jar)
    config.symlink_to(_BROKER_METRICS)
    return f"-javaagent:{agent}={address}:{config}"
