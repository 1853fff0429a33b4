"""A real Prometheus: one that is there, or one of the tests' own whose alerts don't wait for minutes."""

import json
import re
import shutil
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.processes import Process, free_port, wait_until
from local_stack.observe import RULES, configuration


def debian_tool(name: str, package: str) -> str:
    """The path of a program; fails with how to get it."""
    path = shutil.which(name)
    assert path, f"{name} is missing: apt-get install {package}"
    return path


class Prometheus:
    """Asks the one on 127.0.0.1:`port`."""

    def __init__(self, port: int) -> None:
        self._api = f"http://127.0.0.1:{port}/api/v1"

    def values(self, query: str) -> list[tuple[dict[str, str], float]]:
        """The labels and the value of each series now; fails if the query can't be read."""
        found = self._get("/query", query=query)["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def ranges(
        self, query: str, start: float, end: float, step: int
    ) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
        """The labels of each series, and its values by seconds since the epoch, `step` seconds apart."""
        found = self._get("/query_range", query=query, start=f"{start}", end=f"{end}", step=f"{step}")
        return [
            (each["metric"], [(time, float(value)) for time, value in each["values"]])
            for each in found["result"]
        ]

    def names(self) -> set[str]:
        """Of all metrics that were ever read."""
        return set(self._get("/label/__name__/values"))

    def rules(self) -> set[str]:
        """The names of the alerts that it knows."""
        return {rule["name"] for group in self._get("/rules")["groups"] for rule in group["rules"]}

    def up(self) -> dict[str, float]:
        """By job, 1 for what answers."""
        return {labels["job"]: value for labels, value in self.values("up")}

    def firing(self) -> set[str]:
        """The names of alerts, with the job behind those that have one."""
        alerts = (labels for labels, _ in self.values('ALERTS{alertstate="firing"}'))
        return {" ".join((each["alertname"], each.get("job", ""))).strip() for each in alerts}

    def wait_until_firing(self, *alerts: str, timeout: float = 120) -> None:
        """Until these fire, whatever else does; no template in their texts may have failed."""
        try:
            wait_until(lambda: self.firing() >= {*alerts}, timeout=timeout, what=f"{alerts} fire", every=0.5)
        except AssertionError as error:
            raise AssertionError(f"{error}; firing: {self.firing()}") from None
        for alert in self._get("/alerts")["alerts"]:
            assert "<error" not in alert["annotations"]["summary"], alert["annotations"]

    def wait_until_calm(self, timeout: float = 120) -> None:
        """Until no alert fires."""
        try:
            wait_until(lambda: not self.firing(), timeout=timeout, what="no alert fires", every=0.5)
        except AssertionError as error:
            raise AssertionError(f"{error}; firing: {self.firing()}") from None

    def _get(self, path: str, **parameters: str) -> Any:
        url = f"{self._api}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]


class QuickPrometheus(Prometheus):
    """Looks at `targets` (addresses by job) once a second, by our rules with seconds instead of minutes.

    Windows of ten minutes and less are of ten seconds, and what is to last does so for two.
    """

    def __init__(self, folder: Path, targets: Mapping[str, str]) -> None:
        port = free_port()
        super().__init__(port)
        folder.mkdir()
        rules, config = folder / "rules.yaml", folder / "prometheus.json"
        rules.write_text(_quick(RULES.read_text(encoding="utf-8")), encoding="utf-8")
        config.write_text(configuration(targets, rules, interval="1s"), encoding="utf-8")
        self._process = Process(
            (
                debian_tool("prometheus", "prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ),
            log=folder / "prometheus.log",
        )

        def is_ready() -> bool:
            assert self._process.returncode is None, self._process.output()[-2000:]
            try:
                # It listens earlier, and answers 503 until its storage is open.
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=10):
                    return True
            except OSError:
                return False

        wait_until(is_ready, timeout=60, what="Prometheus is ready")

    def close(self) -> None:
        self._process.kill()


def _quick(rules: str) -> str:
    return re.sub(r"for: \d+m", "for: 2s", re.sub(r"\[(\d|10)m\]", "[10s]", rules))
