"""A batch has one plan, whoever makes it: what the consumer's exactness on an object store rests on."""

import subprocess
import sys

from wiki_common.store.objects import ObjectPath


def test_a_plan_is_written_once_and_state_as_often_as_it_comes(s3_folder: ObjectPath) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "consumer.plan_twice", str(s3_folder)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert told == {
        "the first plan": "written",
        "the same again": "written",
        "another one": "refused",
        "state": "written",
        "state again": "written",
        "one that was given up": "written",
        "batches": "['7']",
        "no batches": "0",
    }
    checkpoint = s3_folder / "checkpoints/changes"
    assert (checkpoint / "offsets/7").read_bytes() == b"first"
    assert (checkpoint / "state/0/0/7.zip").read_bytes() == b"second"
