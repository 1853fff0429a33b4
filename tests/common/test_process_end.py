"""The process ends with its exit code, whatever its threads are doing."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

READS_FOR_EVER = """
import io, sys, threading, time
from pathlib import Path
import pyarrow as pa, pyarrow.parquet as pq
from wiki_common.process_end import end_at_once

reading = threading.Event()

class Slow(io.BytesIO):
    def read(self, size=-1):
        if reading.is_set():
            time.sleep(0.02)
        return super().read(size)

def read_for_ever():
    file = pq.ParquetFile(pa.PythonFile(Slow(Path(sys.argv[1]).read_bytes()), "r"))
    reading.set()
    while True:
        file.read()

threading.Thread(target=read_for_ever, daemon=True).start()
reading.wait()
time.sleep(0.3)
print("the end")
end_at_once(7)
"""


def test_a_read_that_goes_on_does_not_change_how_it_ends(tmp_path: Path) -> None:
    """With sys.exit the process is aborted here."""
    file = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"id": range(200_000)}), file, row_group_size=2000)
    for _ in range(3):
        ended = subprocess.run(
            [sys.executable, "-c", READS_FOR_EVER, str(file)], capture_output=True, timeout=60, check=False
        )
        assert (ended.returncode, ended.stdout) == (7, b"the end\n"), ended.stderr.decode()
