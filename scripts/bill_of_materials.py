"""What `./scripts/sbom` writes: each image's packages as CycloneDX, from its lock and a list of its jars."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from wiki_common import VERSION

ROOT: Final = Path(__file__).resolve().parents[1]
LOCKS: Final = {
    "producer": "services/producer/requirements.txt",
    "spark-consumer": "services/spark-consumer/requirements.txt",
    "web": "services/web/requirements.txt",
    "web-duckdb": "services/web/requirements-duckdb.txt",
    "stream-simulator": "services/stream-simulator/requirements.txt",
}
WITH_JARS: Final = "spark-consumer"
JARS: Final = ROOT / ".local/spark-jars"

_JAR: Final = re.compile(
    r"^ +([\w.-]+):([\w.-]+):jar:(?:([\w.-]+):)?([\w.-]+):(?:compile|runtime)", re.MULTILINE
)

Component = dict[str, Any]


def bill(image: str, listed_jars: str) -> dict[str, Any]:
    """The document of an image; `listed_jars` is what Maven's dependency:list wrote."""
    lock = ROOT / LOCKS[image]
    document: dict[str, Any] = json.loads(_of_python(lock))
    document["metadata"]["component"] = {
        "type": "container",
        "bom-ref": image,
        "name": f"wiki-live-top/{image}",
        "version": VERSION,
    }
    document["components"].append(_base(lock.parent / "Dockerfile"))
    if image == WITH_JARS:
        document["components"] += jars(listed_jars, JARS)
    return document


def _of_python(lock: Path) -> str:
    command = (Path(sys.executable).with_name("cyclonedx-py"), "requirements", "--output-reproducible", lock)
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _base(dockerfile: Path) -> Component:
    (image,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", dockerfile.read_text(encoding="utf-8"), re.MULTILINE)
    name, _, version = image.partition(":")
    return {"type": "container", "bom-ref": f"base:{image}", "name": name, "version": version}


def jars(listed: str, folder: Path) -> Iterator[Component]:
    """The jars that are in `folder`, by what `listed` says of them."""
    for group, name, classifier, version in _JAR.findall(listed):
        file = folder / f"{name}-{version}{f'-{classifier}' * bool(classifier)}.jar"
        purl = f"pkg:maven/{group}/{name}@{version}?type=jar"
        yield {
            "type": "library",
            "bom-ref": purl,
            "group": group,
            "name": name,
            "version": version,
            "purl": purl,
            "hashes": [{"alg": "SHA-256", "content": sha256(file.read_bytes()).hexdigest()}],
        }


def main(folder: Path, listed_jars: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for image in LOCKS:
        document = bill(image, listed_jars.read_text(encoding="utf-8"))
        target = folder / f"{image}.cdx.json"
        target.write_text(json.dumps(document, indent=2), encoding="utf-8")
        print(f"{target}: {len(document['components'])} components")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
