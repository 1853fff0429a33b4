import json
import logging

import pytest
import structlog
from py4j import java_gateway

from wiki_consumer import logs
from wiki_consumer.settings import Settings


def test_what_py4j_raises_it_does_not_say_as_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers)
    monkeypatch.setattr(root, "level", root.level)
    logs.configure(Settings(log_format="json"))
    record = logging.LogRecord(
        "root", logging.ERROR, java_gateway.__file__, 1059, "Exception while sending command.", (), None
    )
    root.handle(record)
    structlog.get_logger("consumer").info("stopped")
    structlog.reset_defaults()
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line).keys() == {"timestamp", "level", "logger", "event"}
