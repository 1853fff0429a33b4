"""Our lines stay ours in a process in which pyspark has left its own class of loggers behind."""

import json
import subprocess
import sys

PROGRAM = """
import logging
import threading

import structlog
from pyspark.logger import PySparkLogger

from wiki_common.logs import configure_logs

configure_logs("INFO", "json")
# PySparkLogger.getLogger sets the class of all new loggers and puts the one before back: in two threads
# at once, the second puts back what the first has set.
logging.setLoggerClass(PySparkLogger)
PySparkLogger.getLogger("pyspark's own").warning("theirs", query=7)
structlog.get_logger("ours").info("refreshed", rows=3)
try:
    1 / 0
except ZeroDivisionError as error:
    structlog.get_logger("ours too").error("failed", exc_info=error)
"""


def test_a_logger_that_is_made_after_pyspark_has_set_its_class_writes_one_line() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    ours = [line for line in lines if line["logger"].startswith("ours")]
    assert [(line["event"], line["level"]) for line in ours] == [("refreshed", "info"), ("failed", "error")]
    assert ours[0]["rows"] == 3
    assert "ZeroDivisionError" in ours[1]["exception"]
    assert "not JSON serializable" not in run.stderr
    assert "refreshed" not in run.stderr
