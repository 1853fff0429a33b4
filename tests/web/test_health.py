"""The health check: what it prints and how it exits, against a service that is ok, stuck or away."""

from collections.abc import Iterator

import pytest

from harness.processes import free_port
from web.browser.served_app import ServedApp
from web.committed import CommittedChanges
from wiki_common import VERSION
from wiki_web import health


@pytest.fixture
def served(committed: CommittedChanges, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedApp]:
    """A service whose address the environment names."""
    app = ServedApp(committed.data_dir)
    app.engine.go.set()
    monkeypatch.setenv("WEB_PORT", app.url.rsplit(":", 1)[1])
    yield app
    app.stop()


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - as the service listens
@pytest.mark.usefixtures("served")
def test_a_service_that_is_alive_says_so_and_which_version_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    monkeypatch.setenv("BIND_ADDRESS", address)
    assert health.main() == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"ok; version {VERSION}"


def test_a_service_that_no_longer_refreshes_is_not_and_says_so(
    served: ServedApp, capsys: pytest.CaptureFixture[str]
) -> None:
    served.app.extensions["refresher"].stop()
    assert health.main() == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("no refresh for ")


def test_a_service_that_does_not_answer_is_named_by_its_port(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    monkeypatch.setenv("WEB_PORT", str(port))
    assert health.main() == 1
    assert capsys.readouterr().out.startswith(f"no answer on port {port}: ")


def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEB_PORT", "zero")
    with pytest.raises(SystemExit, match="2"):
        health.main()
    assert "WEB_PORT=zero" in capsys.readouterr().err
