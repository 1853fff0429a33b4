from structlog import get_logger
from structlog.testing import capture_logs

from wiki_common.summary import SUMMARY_SECONDS, Summary


def test_what_was_counted_since_the_last_line_is_told_once_a_minute() -> None:
    clock, counts, state = [1000.0], {"read": 0}, {"behind": 1.5}
    with capture_logs() as lines:
        summary = Summary(get_logger("test"), "relayed", lambda: counts, lambda: state, lambda: clock[0])
        for second in range(181):
            clock[0] = 1000.0 + second
            counts["read"] += 10
            state["behind"] = float(second)
            summary.look()
    assert SUMMARY_SECONDS == 60
    assert lines == [
        {"event": "relayed", "log_level": "info", "seconds": 60, "read": 610, "behind": 60.0},
        {"event": "relayed", "log_level": "info", "seconds": 60, "read": 600, "behind": 120.0},
        {"event": "relayed", "log_level": "info", "seconds": 60, "read": 600, "behind": 180.0},
    ]
