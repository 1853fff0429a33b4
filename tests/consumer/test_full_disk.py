"""A volume that is really full: a small file system of its own, in a mount namespace of the consumer's."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from consumer import topics
from consumer.running import TIMEOUT, Consumer, committed_ids
from consumer.topics import event
from harness.kafka import Broker
from harness.processes import wait_until
from harness.prometheus import QuickPrometheus

# Without privileges it takes a user namespace as well.
NAMESPACE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--mount", "--map-root-user")
MOUNTED = ("sh", "-c", 'mount -t tmpfs -o size=16m none "$DATA_DIR" && exec "$@"', "sh")
# What is left for a batch: nothing, or enough for its first files.
ROOM = (0, 16_384, 65_536)
EACH = 50


def fill(volume: Path, *, room: int) -> Path:
    """Take all space of the volume but `room` bytes."""
    filler = volume / "filler"
    with filler.open("wb", buffering=0) as file:
        file.write(bytes(shutil.disk_usage(volume).free))
        file.truncate(file.tell() - room)
    return filler


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_full_disk_stops_the_query_with_the_reason_until_there_is_room(
    broker: Broker, topic: str, tmp_path: Path
) -> None:
    subprocess.run((*NAMESPACE, "true"), check=True)
    writer = topics.Writer(broker.bootstrap_servers, topic)
    consumer = Consumer(tmp_path, broker.bootstrap_servers, topic, command=(*NAMESPACE, *MOUNTED))
    consumer.data.mkdir()
    prometheus = QuickPrometheus(tmp_path / "quick", {"consumer": f"127.0.0.1:{consumer.port}"})
    try:
        process = consumer.start()
        consumer.data = Path(f"/proc/{process.pid}/root{consumer.data}")
        writer.write([event(number) for number in range(EACH)])
        consumer.wait_for_ids({f"event-{number}" for number in range(EACH)})
        for turn, room in enumerate(ROOM, start=1):
            filler = fill(consumer.data, room=room)
            new = range(turn * EACH, (turn + 1) * EACH)
            # Longer than the room that is left, however well it is compressed.
            writer.write([event(number, comment=os.urandom(2000).hex()) for number in new])
            wait_until(
                lambda: "no room on the volume" in consumer.health()[1], timeout=TIMEOUT, what="the reason"
            )
            prometheus.wait_until_firing("DiskLow consumer", "DiskFullSoon consumer")
            filler.unlink()
            consumer.wait_for_ids({f"event-{number}" for number in range(new.stop)})
            consumer.wait_until_healthy()
        assert committed_ids(consumer.data) == {f"event-{number}": 1 for number in range(new.stop)}
        assert process.terminate(60) == 0
        assert "Traceback" not in consumer.output()
    finally:
        prometheus.close()
        consumer.close()
        writer.close()
