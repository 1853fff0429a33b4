import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from wiki_producer import logs
from wiki_producer.logs import OncePerMinute
from wiki_producer.settings import Settings

LIBRARIES = ("kafka", "kafka.net.selector", "aiohttp_sse_client")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    levels = {name: logging.getLogger(name).level for name in LIBRARIES}
    yield
    root.handlers, root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def record(message: str, *, line: int = 7, logger: str = "kafka.net") -> logging.LogRecord:
    return logging.LogRecord(logger, logging.ERROR, "manager.py", line, message, (), None)


def passed(limit: OncePerMinute, clock: list[float], seconds: range, **fields: object) -> list[int]:
    """The seconds at which a record passes that is offered at each."""
    found = []
    for second in seconds:
        clock[0] = second
        line, logger = fields.get("line", 7), fields.get("logger", "kafka.net")
        if limit.filter(record(f"failed at {second}", line=int(str(line)), logger=str(logger))):
            found.append(second)
    return found


def test_a_line_of_the_librarys_code_is_heard_once_a_minute_whatever_it_says() -> None:
    clock = [0.0]
    limit = OncePerMinute("kafka", clock=lambda: clock[0])
    assert passed(limit, clock, range(0, 121, 10)) == [0, 60, 120]
    assert passed(limit, clock, range(121, 130)) == [], "the last one was at 120"


def test_another_line_of_code_has_a_minute_of_its_own() -> None:
    clock = [0.0]
    limit = OncePerMinute("kafka", clock=lambda: clock[0])
    assert passed(limit, clock, range(0, 30, 10)) == [0]
    assert passed(limit, clock, range(30, 60, 10), line=8) == [30]


@pytest.mark.parametrize("logger", ["kafkaesque.net", "wiki_producer.kafka.client"])
def test_other_loggers_are_not_limited(logger: str) -> None:
    clock = [0.0]
    limit = OncePerMinute("kafka", clock=lambda: clock[0])
    assert passed(limit, clock, range(5), logger=logger) == [0, 1, 2, 3, 4]


def test_the_librarys_repetitions_are_kept_from_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="json"))
    for number in range(3):
        logging.getLogger("kafka.net").error("library says %s", number)
        structlog.get_logger("wiki_producer.test").info("event read", number=number)
    logging.getLogger("kafka.net").info("chatter")
    logging.getLogger("kafka.net.selector").warning("Task ran for 0.123s")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["library says 0", *["event read"] * 3]
