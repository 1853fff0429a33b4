"""The lease of a volume in an object store, between real consumers: one that is killed, one that sleeps.

What a disk has to stand too is in test_consumer, test_coverage and test_kills, which run on both stores.
"""

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from consumer import topics
from consumer.running import Consumer, committed_ids
from consumer.topics import event
from harness.kafka import Broker
from wiki_common.store.objects import ObjectPath

EACH = 50


@pytest.fixture
def new_consumer(
    broker: Broker, topic: str, tmp_path: Path, s3_folder: ObjectPath, ending: ExitStack
) -> Callable[[str], Consumer[ObjectPath]]:
    def made(name: str) -> Consumer[ObjectPath]:
        consumer = Consumer(tmp_path / name, broker.bootstrap_servers, topic, s3_folder)
        ending.callback(consumer.close)
        return consumer

    return made


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_lease_of_one_that_was_killed_or_slept_passes_to_another(
    s3_folder: ObjectPath, writer: topics.Writer, new_consumer: Callable[[str], Consumer[ObjectPath]]
) -> None:
    first, second = new_consumer("first"), new_consumer("second")

    def write_and_wait(turn: int, consumer: Consumer[ObjectPath]) -> set[str]:
        writer.write(event(number) for number in range((turn + 1) * EACH))
        written = {f"event-{number}" for number in range((turn + 1) * EACH)}
        consumer.wait_for_ids(written)
        return written

    first.start()
    write_and_wait(0, first)
    first.kill_python_alone()

    # The lease of the one that was killed has to end first.
    process = second.start()
    second.wait_for_line("waiting for another writer to end")
    write_and_wait(1, second)

    # One that sleeps loses its lease; when it wakes, it ends.
    os.killpg(process.pid, signal.SIGSTOP)
    successor = first.start()
    written = write_and_wait(2, first)
    os.killpg(process.pid, signal.SIGCONT)
    second.wait_for_line("the lease of the volume is lost")
    assert process.wait(30) == 1

    assert successor.terminate(60) == 0
    assert committed_ids(s3_folder) == dict.fromkeys(written, 1)
    assert "Traceback" not in first.output() + second.output()
    assert "a-secret-of-tests" not in first.output() + second.output()
