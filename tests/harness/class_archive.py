"""The classes of the consumer's JVM, ready to be mapped: Spark then starts with 40 % less processor time.

`python -m harness.class_archive` makes the archive, in half a minute, if packages or jars have changed since.
Where it doesn't fit, as with another Java or web's class path, Java silently does without.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from local_stack.broker import ROOT

ARCHIVE: Final = ROOT / ".local/spark-classes.jsa"
JARS: Final = ROOT / ".local/spark-jars"


def options() -> str:
    """For SPARK_SUBMIT_OPTS: with these Spark's JVM takes the archive, if there is one."""
    if not ARCHIVE.exists():
        return ""
    return f'-XX:SharedArchiveFile="{ARCHIVE}" -Xlog:cds=off -Xlog:cds+dynamic=off'


def is_made() -> bool:
    """Whether it is newer than all that it is made of."""
    pyspark = find_spec("pyspark")
    assert pyspark is not None
    assert pyspark.origin is not None
    made_of = (Path(pyspark.origin), JARS / ".pom.xml")
    return ARCHIVE.exists() and all(ARCHIVE.stat().st_ctime > each.stat().st_ctime for each in made_of)


def make() -> None:
    """Let a JVM note at its end which classes it had. If it can't, that is told: tests go on without."""
    part = ARCHIVE.with_suffix(".part")
    noting = f'-XX:ArchiveClassesAtExit="{part}" -Xlog:disable'
    done = subprocess.run(
        [sys.executable, "-m", "harness.spark_batch", str(JARS)],
        env=os.environ | {"SPARK_SUBMIT_OPTS": noting},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0 and part.exists():
        part.replace(ARCHIVE)
    else:
        sys.stderr.write(f"no archive of Spark's classes was made: {done.stderr[-1000:]}\n")


if __name__ == "__main__" and not is_made():
    make()
