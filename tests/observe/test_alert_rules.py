"""Each alert fires when it should and, short of that, does not; the rest of them stay silent meanwhile."""

import re
import subprocess
from pathlib import Path

import pytest

from docs.pages import ROOT, text_of
from harness.prometheus import debian_tool
from observe.promtool import assert_found, promtool
from observe.queries import RULES, Alert, alerts

PAGE = ROOT / "docs/alerts.md"
_JOBS = ("producer", "consumer", "web", "kafka")

# An hour, four samples a minute: each series as its first value and what is added from sample to sample.
_WELL = {
    **{f'up{{job="{job}"}}': "1+0x240" for job in _JOBS},
    **{f'process_start_time_seconds{{job="{job}"}}': "1000+0x240" for job in _JOBS},
    "wiki_producer_events_read_total": "0+500x240",
    "wiki_producer_events_kept_total": "0+75x240",
    'wiki_producer_events_rejected_total{reason="unreadable"}': "0+0x240",
    "wiki_producer_records_acknowledged_total": "0+75x240",
    "wiki_consumer_lag_seconds": "0+0x240",
    "wiki_consumer_last_gap_timestamp_seconds": "-9999+0x240",
    'wiki_consumer_next_offset{topic="wiki-changes",partition="0"}': "0+75x240",
    'kafka_log_logstartoffset{topic="wiki-changes",partition="0"}': "0+0x240",
    'kafka_server_failed_authentications_total{listener="PLAINTEXT",processor="0"}': "7+0x240",
    "wiki_consumer_maintenance_failures_total": "3+0x240",
    "wiki_consumer_maintenance_age_seconds": "30+0x240",
    "wiki_consumer_disk_free_bytes": "500000+0x240",
    "wiki_consumer_disk_used_bytes": "500000+0x240",
    "wiki_web_as_of_timestamp_seconds": "-2+15x240",
}

# Which alerts fire at the end, and what differs from a system that is well. Ten minutes are 40 samples.
_CASES = [
    ([], {}),
    (["ServiceDown"], {'up{job="web"}': "1+0x200 0+0x39"}),
    ([], {'up{job="web"}': "1+0x237 0+0x2"}),
    (["ServiceRestarting"], {'process_start_time_seconds{job="producer"}': "1+0x200 2+0x9 3+0x9 4+0x19"}),
    ([], {'process_start_time_seconds{job="producer"}': "1+0x200 2+0x9 3+0x29"}),
    (["BrokerDown"], {'up{job="kafka"}': "1+0x200 0+0x39"}),
    ([], {'up{job="kafka"}': "0+0x240"}),
    (["NoEvent"], {"wiki_producer_events_read_total": "0+500x200 100000+0x39"}),
    ([], {"wiki_producer_events_read_total": "0+500x235 117500+0x4"}),
    (["HeartbeatsStopped"], {"wiki_producer_records_acknowledged_total": "0+75x200 15000+0x39"}),
    (
        ["NoEvent"],
        {
            "wiki_producer_records_acknowledged_total": "0+75x200 15000+0x39",
            "wiki_producer_events_read_total": "0+500x200 100000+0x39",
        },
    ),
    (["LagGrowing"], {"wiki_consumer_lag_seconds": "0+0x160 0+5x79"}),
    ([], {"wiki_consumer_lag_seconds": "0+0x160 900-5x79"}),
    ([], {"wiki_consumer_lag_seconds": "0+0x160 20+0.1x79"}),
    (["PageBehind"], {"wiki_web_as_of_timestamp_seconds": "-2+15x200 3000+0x39"}),
    (["PageBehind"], {"wiki_web_as_of_timestamp_seconds": "NaN+0x240"}),
    ([], {"wiki_web_as_of_timestamp_seconds": "-28+15x240"}),
    (["RejectsHigh"], {'wiki_producer_events_rejected_total{reason="unreadable"}': "0+1x240"}),
    ([], {'wiki_producer_events_rejected_total{reason="unreadable"}': "0+0.7x240"}),
    (["GapGivenUp"], {"wiki_consumer_last_gap_timestamp_seconds": "300+0x240"}),
    ([], {"wiki_consumer_last_gap_timestamp_seconds": "-100+0x240"}),
    (
        ["RecordsLost"],
        {
            # The consumer is down for half an hour.
            'wiki_consumer_next_offset{topic="wiki-changes",partition="0"}': "0+75x120 _x120",
            'kafka_log_logstartoffset{topic="wiki-changes",partition="0"}': "0+0x200 9001+0x39",
        },
    ),
    (
        [],
        {
            'wiki_consumer_next_offset{topic="wiki-changes",partition="0"}': "0+75x120 _x120",
            'kafka_log_logstartoffset{topic="wiki-changes",partition="0"}': "0+0x200 9000+0x39",
        },
    ),
    (
        ["LoginsRefused"],
        {'kafka_server_failed_authentications_total{listener="PLAINTEXT",processor="0"}': "7+0x200 7+1x39"},
    ),
    (["MaintenanceFailing"], {"wiki_consumer_maintenance_failures_total": "3+0x120 3+1x119"}),
    (["MaintenanceFailing"], {"wiki_consumer_maintenance_age_seconds": "30+0x120 30+15x119"}),
    ([], {"wiki_consumer_maintenance_failures_total": "3+0x220 4+0x19"}),
    (
        ["DiskLow"],
        {"wiki_consumer_disk_free_bytes": "99000+0x240", "wiki_consumer_disk_used_bytes": "901000+0x240"},
    ),
    (
        [],
        {"wiki_consumer_disk_free_bytes": "101000+0x240", "wiki_consumer_disk_used_bytes": "899000+0x240"},
    ),
    (["DiskFullSoon"], {"wiki_consumer_disk_free_bytes": "500000-90x240"}),
    ([], {"wiki_consumer_disk_free_bytes": "500000-70x240"}),
]


@pytest.mark.parametrize(
    ("fires", "differs"), _CASES, ids=[f"{number} {fires}" for number, (fires, _) in enumerate(_CASES)]
)
def test_these_alerts_fire_and_no_others(fires: list[str], differs: dict[str, str], tmp_path: Path) -> None:
    assert differs.keys() <= _WELL.keys()
    series = [{"series": name, "values": values} for name, values in (_WELL | differs).items()]
    expected = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in fires]
    asked = 'count by (alertname) (ALERTS{alertstate="firing"})'
    tests = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": series,
                "promql_expr_test": [{"expr": asked, "eval_time": "1h", "exp_samples": expected}],
            }
        ],
    }
    assert_found(tmp_path, tests)


def test_each_alert_has_a_case() -> None:
    assert {name for fires, _ in _CASES for name in fires} == {alert.name for alert in alerts()}


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_each_alert_leads_to_its_section(alert: Alert) -> None:
    """Which says how urgent it is, after how long it is told, and what to do."""
    file, _, anchor = alert.runbook.partition("#")
    assert (ROOT / file, anchor) == (PAGE, alert.name.lower())
    section = text_of(PAGE).split(f"\n## {alert.name}\n", 1)[1].split("\n## ")[0]
    assert section.strip().startswith(f"*{alert.severity}, after {alert.waits}*")
    for part in ("**Why:**", "**What to do:**"):
        assert part in section


def test_each_section_is_of_an_alert() -> None:
    sections = text_of(PAGE).split("\n## ")[1:]
    names = [section.partition("\n")[0] for section in sections]
    assert [name for name in names if " " not in name] == [alert.name for alert in alerts()]


def test_prometheus_takes_the_configuration_and_the_rules() -> None:
    said = promtool("check", "config", str(RULES.with_name("prometheus.yaml")))
    assert f"{len(alerts())} rules found" in said


def test_alertmanager_takes_the_configuration_of_the_repository_and_the_one_of_the_page(
    tmp_path: Path,
) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", text_of(PAGE), re.DOTALL)
    assert len(shown) == 1
    (tmp_path / "shown.yaml").write_text(shown[0])
    for file in (RULES.with_name("alertmanager.yaml"), tmp_path / "shown.yaml"):
        done = subprocess.run(
            [debian_tool("amtool", "prometheus-alertmanager"), "check-config", str(file)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
