"""docs/operations.md: a copy taken under load restores to exact counts, by the page's own commands."""

import re
import shlex
import subprocess
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumer import topics
from consumer.load import load
from consumer.running import Consumer
from consumer.topics import event
from consumer.volumes import Volume
from docs.pages import ROOT, text_of
from harness.kafka import Broker
from harness.processes import wait_until
from wiki_common.coverage import Gap

# Events of the load are 20 hours old at first, and the topic has them all.
ALL = {"module": "consumer.fast_hours", "MAX_EVENT_AGE": "24h"}


def section(heading: str) -> str:
    text = text_of(ROOT / "docs/operations.md").split(f"\n### {heading}\n", 1)[1]
    return text.split("\n#", 1)[0]


def commands(heading: str, folder: Path) -> list[str]:
    """Those for run-local below a heading, with `folder`/data in the place of .local/data."""
    lines = re.findall(r"^    (.*\.local/data.*)$", section(heading), re.MULTILINE)
    return [line.replace(".local/data", shlex.quote(str(folder / "data"))) for line in lines]


def in_container(heading: str, data: Path) -> str:
    """What is run in the container of the consumer, with `data` in the place of /data."""
    [line] = re.findall(r"^    docker compose (?:exec|run) (.*)$", section(heading), re.MULTILINE)
    words = shlex.split(line.replace("/data", shlex.quote(str(data))))
    command = words[words.index("spark-consumer") + 1 :]
    if command[0] == "-c":  # of the entry point that the line names
        command.insert(0, words[words.index("--entrypoint") + 1])
    return shlex.join(command[: min(command.index(each) for each in "<>" if each in command)])


def run(command: str, folder: Path) -> None:
    """tar ends with 1 where a file has changed or gone meanwhile."""
    done = subprocess.run(  # noqa: S602 - a line for a shell
        command, shell=True, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    unexpected = [
        line
        for line in done.stderr.splitlines()
        if not line.endswith(("file changed as we read it", "File removed before we read it"))
    ]
    assert unexpected == []


def test_in_a_container_the_copy_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("changes/date=2026-01-31/1.parquet", "history/.writing/half", "history/date=2026-01-31/0"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(name)
    run(f"{in_container('Back it up', data)} > backup.tar", tmp_path)
    (data / "checkpoints/changes").mkdir(parents=True)
    (data / "changes/date=2026-01-31/2.parquet").write_text("later")
    run(f"{in_container('Restore it', data)} < backup.tar", tmp_path)
    files = {str(file.relative_to(data)) for file in data.rglob("*") if file.is_file()}
    assert {file for file in files if not file.startswith("before/")} == {
        "changes/date=2026-01-31/1.parquet",
        "history/date=2026-01-31/0",
    }
    assert "before/changes/date=2026-01-31/2.parquet" in files
    assert not (data / "checkpoints").exists()


def test_what_leaves_changes_meanwhile_is_copied_after_it() -> None:
    for heading_command in re.findall(r"^    .*-c changes.*$", section("Back it up"), re.MULTILINE):
        assert " --exclude=.writing -c changes history > backup.tar" in heading_command


def goes_on(consumer: Consumer, writer: topics.Writer, before: set[str]) -> None:
    """One more change is counted, beside those before."""
    new = len(before)
    with closing(consumer), closing(writer):
        process = consumer.start()
        writer.write([event(new, at=time.time())])
        consumer.wait_for_ids({f"event-{new}"})
        assert process.terminate(60) == 0
        assert "new checkpoint" not in consumer.output()
        seen = Volume(consumer.data, Counter()).what_a_reader_sees()
        assert seen == dict.fromkeys(before | {f"event-{new}"}, 1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_copy_that_is_taken_under_load_restores_to_exact_counts(
    broker: Broker, topic: str, tmp_path: Path, seed: int
) -> None:
    servers = broker.bootstrap_servers
    [backup], restore = commands("Back it up", tmp_path), commands("Restore it", tmp_path)
    with closing(Consumer(tmp_path, servers, topic, **ALL)) as consumer:
        volume = Volume(consumer.data, Counter())
        process = consumer.start()
        with load(servers, topic, seed) as running:
            wait_until(lambda: len(volume.folders.hours()) > 1, timeout=240, what="hours are closed")
            run(backup, tmp_path)
            copied = running.written
            consumer.wait_for_more_than(copied)
        process.kill()
        for command in restore:
            run(command, tmp_path)
        restored = sum(volume.what_a_reader_sees().values())
        assert 0 < restored < running.written
        assert len(volume.folders.hours()) > 1
        assert not volume.checkpoint.exists()

        process = consumer.start()
        expected = {f"event-{number}" for number in range(running.written)}
        consumer.wait_for_ids(expected)
        assert process.terminate(60) == 0
        assert volume.what_a_reader_sees() == dict.fromkeys(expected, 1)
        assert volume.gaps_that_a_reader_sees() == (Gap(None, datetime.fromtimestamp(running.begin, UTC)),)

    # From then on as usual, and elsewhere: the checkpoint goes on with a shorter MAX_EVENT_AGE.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    consumer.data.rename(elsewhere / "data")
    goes_on(Consumer(elsewhere, servers, topic), topics.Writer(servers, topic), expected)
