import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from wiki_consumer.checkpoint.lock import NotWritable, acquire_for_jvm, exclusive


def ask_for_the_lock(lock: Path) -> str:
    """What another process is told."""
    asking = (
        "import sys; from pathlib import Path; from wiki_consumer.checkpoint.lock import exclusive\n"
        "with exclusive(Path(sys.argv[1])) as alone: print(alone)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", asking, str(lock)], capture_output=True, text=True, timeout=60, check=True
    )
    return answer.stdout.strip()


def test_the_lock_is_held_by_one_process_until_it_lets_go(tmp_path: Path) -> None:
    lock = tmp_path / "checkpoints/.lock"
    with exclusive(lock) as alone:
        assert alone
        assert ask_for_the_lock(lock) == "False"
    assert ask_for_the_lock(lock) == "True"


def test_a_lock_that_cannot_be_made_is_told_with_its_reason(spark: SparkSession, tmp_path: Path) -> None:
    """Such as on a volume that is read-only as yet."""
    with pytest.raises(NotWritable, match=r"DATA_DIR can't be written to \(.*: Is a directory\)$"):
        acquire_for_jvm(spark, tmp_path, stopping=lambda: False)
