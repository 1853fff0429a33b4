import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from wiki_producer.logs import OncePerMinute, configure_logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def record(message: str, line: int = 7) -> logging.LogRecord:
    return logging.LogRecord("kafka.net", logging.ERROR, "manager.py", line, message, (), None)


def test_a_line_of_code_is_heard_once_a_minute_whatever_it_says() -> None:
    now = [0.0]
    limit = OncePerMinute(clock=lambda: now[0])
    passed = []
    for now[0] in range(0, 121, 10):
        if limit.filter(record(f"connection failed at {now[0]}")):
            passed.append(now[0])
    assert passed == [0, 60, 120]
    assert limit.filter(record("another", line=8))


def test_events_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", "json")
    structlog.get_logger("test").info("event read", title="Ünïcode\nline")
    logging.getLogger("kafka.net").error("library says %s", 5)
    logging.getLogger("kafka.net").info("chatter")
    logging.getLogger("kafka.net.selector").warning("Task ran for 0.123s")
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["event"], first["title"], first["level"]) == ("event read", "Ünïcode\nline", "info")
    assert (second["event"], second["logger"]) == ("library says 5", "kafka.net")


def test_the_level_holds(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("WARNING", "console")
    structlog.get_logger("test").info("quiet")
    structlog.get_logger("test").warning("loud")
    assert [line for line in capsys.readouterr().out.splitlines() if "quiet" in line] == []
