"""The consumer's doctor as a process, on a volume that batches have written."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server

import pytest

from consumer.running import Consumer
from consumer.topics import Writer, create, event
from consumer.volumes import FIRST_BATCHES, Volume
from harness.doctor import doctor, problems
from harness.kafka import Broker
from harness.processes import free_port
from harness.rights import AS_ANYBODY
from wiki_consumer.checkpoint.lock import exclusive
from wiki_consumer.doctor.checkpoint import commit_finding

CONSUMER = "wiki_consumer"
LAST = FIRST_BATCHES - 1


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A port that answers, which is all that is asked of a broker here."""
    with create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def diagnosed(server: str, data: Path, *options: str, **env: str) -> tuple[int, list[str]]:
    return doctor(CONSUMER, *options, KAFKA_BOOTSTRAP_SERVERS=server, DATA_DIR=str(data), **env)


def wrong(server: str, volume: Volume) -> str:
    """The only problem of a volume."""
    code, lines = diagnosed(server, volume.path)
    [line] = problems(lines)
    assert code == 1
    return line


def test_each_check_is_a_line(server: str, volume: Volume) -> None:
    (volume.checkpoint / "topic").write_text("wiki-changes (id x)")
    with exclusive(volume.folders.lock):
        code, lines = diagnosed(server, volume.path)
    epoch = (volume.checkpoint / "epoch").read_text()
    found = [line.removeprefix("ok   consumer ") for line in lines]
    assert code == 0
    assert found[:4] == [
        "settings: they fit together",
        f"{server} name: 127.0.0.1",
        f"{server} TCP: the port answers",
        f"volume rights: {volume.path} can be written to",
    ]
    assert found[-6:-2] == [
        f"volume layout: {len(volume.raw_files())} files in changes, no history",
        "checkpoint lock: held: a consumer is at work",
        f"checkpoint epoch: {epoch}, batch {LAST} committed",
        "checkpoint topic: wiki-changes (id x)",
    ]
    assert found[-2].startswith("checkpoint commit: the last batch was committed ")
    assert found[-1] == "checkpoint clock: no batch is ahead of ours"
    assert not list(volume.path.glob("tmp*"))


def test_an_empty_volume_is_all_right_before_the_first_start(server: str, tmp_path: Path) -> None:
    code, lines = diagnosed(server, tmp_path)
    assert (code, lines[-2:]) == (
        0,
        [
            "ok   consumer volume layout: nothing yet",
            "ok   consumer checkpoint: none yet: the consumer will begin one",
        ],
    )
    assert list(tmp_path.iterdir()) == [], "it only looks"


def test_a_consumer_that_should_run_and_does_not_is_told(server: str, volume: Volume, tmp_path: Path) -> None:
    volume.folders.lock.touch()
    for commit in (volume.checkpoint / "commits").iterdir():
        os.utime(commit, (time.time() - 3600,) * 2)
    code, lines = diagnosed(server, volume.path, "--running", METRICS_PORT=str(free_port()))
    assert code == 1
    lock, commit_age, health = problems(lines)
    assert commit_age.startswith("checkpoint commit: the last batch was committed 36")
    assert lock == "checkpoint lock: nobody holds it: no consumer is at work here; see its log"
    assert health.startswith("health: no answer on port ")
    _, lines = diagnosed(server, tmp_path, "--running")
    assert problems(lines)[0].startswith("checkpoint: there is none: the consumer has not begun to read")


def test_a_running_consumer_is_all_right(tmp_path: Path, broker: Broker) -> None:
    topic = "doctor-of-a-running-consumer"
    create(broker.bootstrap_servers, topic)
    with closing(Consumer(tmp_path, broker.bootstrap_servers, topic)) as consumer:
        with closing(Writer(broker.bootstrap_servers, topic)) as writer:
            writer.write([event(1)])
        consumer.start()
        consumer.wait_for_ids({"event-1"})
        consumer.wait_until_healthy()
        code, lines = consumer.doctor("--running", "--json")
    found = {each["check"]: each for each in map(json.loads, lines)}
    assert [each for each in found.values() if each["status"] == "problem"] == []
    assert code == 0
    assert found["checkpoint lock"]["detail"] == "held: a consumer is at work"
    assert found["checkpoint topic"]["detail"].startswith(f"{topic} (id ")
    assert found["health"]["detail"].startswith("ok; counted up to ")


def test_a_broker_that_does_not_answer_is_told(volume: Volume) -> None:
    server = f"127.0.0.1:{free_port()}"
    assert wrong(server, volume).startswith(f"{server} TCP: Connection refused: check the port in")


def test_a_folder_that_is_not_there_is_told(server: str, tmp_path: Path) -> None:
    code, lines = diagnosed(server, tmp_path / "data")
    assert (code, problems(lines)) == (
        1,
        [f"volume: there is no folder DATA_DIR={tmp_path}/data: mount it, or set DATA_DIR"],
    )


@pytest.mark.parametrize("closed", [".", "changes", "checkpoints"])
def test_a_folder_that_is_not_ours_to_write_is_told(server: str, volume: Volume, closed: str) -> None:
    folder = volume.path / closed
    folder.chmod(0o500)
    code, lines = doctor(
        CONSUMER, command=AS_ANYBODY, KAFKA_BOOTSTRAP_SERVERS=server, DATA_DIR=str(volume.path)
    )
    folder.chmod(0o700)
    assert code == 1
    assert problems(lines)[0].startswith("volume rights: ")
    assert str(folder) in problems(lines)[0]
    assert problems(lines)[0].endswith("by the user that the consumer runs as (10001 in its container)")


def test_a_volume_of_version_1_0_is_noted(server: str, volume: Volume) -> None:
    (volume.changes / "_spark_metadata").mkdir()
    _, lines = diagnosed(server, volume.path)
    assert (
        "note consumer volume layout: of version 1.0: the consumer takes it over at its next start" in lines
    )


def test_a_newest_file_that_is_damaged_is_told(server: str, volume: Volume) -> None:
    newest = volume.raw_files()[-1]
    newest.write_bytes(newest.read_bytes()[:-9])
    line = wrong(server, volume)
    assert line.startswith(f"volume layout: {newest}: ")
    assert line.endswith(": docs/recovery.md says what to do")


def test_files_that_are_missing_are_told(server: str, volume: Volume) -> None:
    volume.raw_files()[-1].unlink()
    assert wrong(server, volume).startswith(
        f"checkpoint epoch: the files in changes end with batch {LAST - 1}, the checkpoint has committed"
        f" {LAST}: files of changes are missing. To begin a new checkpoint: python -m"
    )


def test_a_checkpoint_that_is_older_than_the_files_is_told(server: str, volume: Volume) -> None:
    for log in ("offsets", "commits"):
        (volume.checkpoint / log / str(LAST)).unlink()
    assert wrong(server, volume).startswith(f"checkpoint epoch: the files in changes end with batch {LAST}, ")


def test_an_epoch_that_is_none_is_told(server: str, volume: Volume) -> None:
    (volume.checkpoint / "epoch").write_text("yesterday")
    assert wrong(server, volume).startswith(
        f"checkpoint epoch: {volume.checkpoint}/epoch: 'yesterday' is no epoch. To begin"
    )


def test_a_checkpoint_that_is_gone_is_noted(server: str, volume: Volume) -> None:
    shutil.rmtree(volume.checkpoint)
    code, lines = diagnosed(server, volume.path)
    assert (code, lines[-1]) == (
        0,
        "note consumer checkpoint: there is none beside files in changes: the consumer will begin a new one",
    )


def test_another_topic_is_told(server: str, volume: Volume) -> None:
    (volume.checkpoint / "topic").write_text("other (id x)")
    assert wrong(server, volume).startswith(
        "checkpoint topic: the checkpoint is of topic other (id x), KAFKA_TOPIC=wiki-changes: set it back"
    )


def test_a_batch_that_is_ahead_of_the_clock_is_told(server: str, volume: Volume) -> None:
    volume.set_batch_clock(LAST, datetime.now(UTC) + timedelta(hours=1))
    assert wrong(server, volume).startswith("checkpoint clock: the last batch's is 3")


def test_a_plan_that_cannot_be_read_is_told(server: str, volume: Volume) -> None:
    (volume.checkpoint / "offsets" / str(LAST)).write_text("v7")
    assert wrong(server, volume).startswith(f"checkpoint clock: {volume.checkpoint}/offsets/{LAST}: ")


@pytest.mark.parametrize(
    ("age", "running", "says"),
    [
        (60, True, "ok the last batch was committed 60 s ago"),
        (61, True, "problem the last batch was committed 61 s ago: see the consumer's log"),
        (61, False, "ok the last batch was committed 61 s ago"),
        (-5, True, "ok the last batch was committed 0 s ago"),
    ],
)
def test_an_old_commit_is_a_problem_of_a_consumer_that_runs(age: int, running: bool, says: str) -> None:
    now = datetime.now(UTC)
    found = commit_finding(now - timedelta(seconds=age), now, expected=running, silence=timedelta(seconds=60))
    assert f"{found.level.value} {found.detail}" == says
