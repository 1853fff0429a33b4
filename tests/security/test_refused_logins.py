"""Logins that the broker refuses are counted by it, as Prometheus reads it, and told by an alert."""

from contextlib import closing
from pathlib import Path

import pytest

from harness.processes import wait_until
from harness.prometheus import QuickPrometheus
from harness.secure_broker import SecureBroker
from security.logins import REFUSED
from security.relaying import settings_of
from wiki_common.kafka.errors import BrokerRefused
from wiki_producer.kafka.client import connect_admin


def test_refused_logins_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secure_broker: SecureBroker
) -> None:
    settings = settings_of(monkeypatch, secure_broker, REFUSED["wrong password, PLAIN"], "wiki-changes")
    with closing(QuickPrometheus(tmp_path / "quick", {"kafka": secure_broker.metrics})) as prometheus:
        counted = "kafka_server_failed_authentications_total"
        wait_until(lambda: bool(prometheus.values(counted)), timeout=60, what="the broker is read")
        assert prometheus.firing() == set()
        with pytest.raises(BrokerRefused):
            connect_admin(settings, 30_000)
        prometheus.wait_until_firing("LoginsRefused")
