"""The lines of Spark's own JVM, in consumer and web: as LOG_FORMAT says, one each, with the reason."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

JARS = Path(__file__).parents[2] / ".local/spark-jars"
CONSUMER = f"""
from pathlib import Path
from wiki_consumer.query.session import start
spark = start("local[1]", Path({str(JARS)!r}), shuffle_partitions=1, log_format=FORMAT)
"""
WEB = """
from wiki_web.data.engines.spark_session import open_session
spark = open_session("local[1]", FORMAT, {})
"""
LOGS = """
import sys
log = spark._jvm.org.apache.logging.log4j.LogManager.getLogger("org.apache.spark.Something")
log.error('it "failed"\\nin two lines: \\u00e9', spark._jvm.java.lang.IllegalStateException("why"))
spark.stop()
"""


def logged(program: str, log_format: str) -> str:
    """The last line that the JVM has written: its very first one may be about the JVM itself."""
    ended = subprocess.run(
        [sys.executable, "-c", f"FORMAT = {log_format!r}\n{program}{LOGS}"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    return ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("program", [CONSUMER, WEB], ids=["consumer", "web"])
def test_in_json_they_have_the_keys_of_all_lines(program: str) -> None:
    line = json.loads(logged(program, "json"))
    assert list(line) == ["timestamp", "level", "logger", "event"]
    assert (line["level"], line["logger"]) == ("error", "spark.Something")
    assert line["event"] == 'it "failed"\nin two lines: é: why'
    assert line["timestamp"][-1] == "Z"


def test_on_a_console_they_are_text() -> None:
    line = logged(CONSUMER, "console")
    assert line.endswith('[spark   ] ERROR Something: it "failed" in two lines: é: why')
