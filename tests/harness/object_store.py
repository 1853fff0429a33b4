"""An S3 store on loopback, by moto: in a process of its own, with a bucket."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.processes import free_port, wait_until
from wiki_common.store import place
from wiki_common.store.objects import ObjectPath

BUCKET = "changes-of-wikipedia"
LOGIN = {"AWS_ACCESS_KEY_ID": "a-key-of-tests", "AWS_SECRET_ACCESS_KEY": "a-secret-of-tests"}
_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=int(sys.argv[1]), verbose=False)
server.start()
sys.stdin.read()
"""


@dataclass(frozen=True)
class ObjectStore:
    """A store that listens; `endpoint` may be that of a proxy before it."""

    endpoint: str

    def environment(self) -> dict[str, str]:
        """By which our services find it, and are let in."""
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": "eu-central-1", **LOGIN}

    def path(self, prefix: str) -> ObjectPath:
        return place.object_path(f"s3://{BUCKET}/{prefix}")


def copy(folder: Path, target: ObjectPath) -> None:
    """All files below `folder`, as they are now."""
    for file in folder.rglob("*"):
        if file.is_file():
            (target / str(file.relative_to(folder))).write_bytes(file.read_bytes())


@contextmanager
def object_store(log: Path) -> Iterator[ObjectStore]:
    port = free_port()
    store = ObjectStore(f"http://127.0.0.1:{port}")
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(port)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
        )
        try:
            wait_until(lambda: _is_up(store.endpoint), timeout=60, what=f"a store\n{log}", every=0.2)
            with urllib.request.urlopen(
                urllib.request.Request(f"{store.endpoint}/{BUCKET}", method="PUT"), timeout=30
            ):
                pass
            yield store
        finally:
            process.kill()
            process.communicate()


def _is_up(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/moto-api/", timeout=5):
            return True
    except OSError:
        return False
