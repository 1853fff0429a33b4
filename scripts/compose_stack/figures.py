"""Sizes, times and memory, as printed at the end."""

import json
import shutil
import tempfile
import time
from pathlib import Path

from compose_stack.stack import Stack, run

IMAGES = {
    "producer": "wiki-live-top/producer",
    "spark-consumer": "wiki-live-top/spark-consumer",
    "web": "wiki-live-top/web:spark",
    "stream-simulator": "wiki-live-top/stream-simulator",
}
MODULES = {
    "producer": "producer/wiki_producer/__main__.py",
    "spark-consumer": "spark-consumer/wiki_consumer/__main__.py",
    "web": "web/wiki_web/__main__.py",
    "stream-simulator": "stream-simulator/stream_simulator/__main__.py",
}
COMMON_MODULE = "common/wiki_common/__init__.py"
DUCKDB_IMAGE = "wiki-live-top/web:duckdb"
_UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def image_megabytes(image: str) -> float:
    return int(run("docker", "image", "inspect", "-f", "{{.Size}}", image)) / 1e6


def seconds_of_a_rebuild(service: str, changed: str) -> float:
    """How long the service's image takes to build with one more line in `changed`, a path below services/."""
    tag = f"{IMAGES[service].split(':')[0]}:one-line-changed"
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "services"
        shutil.copytree("services", context, ignore=shutil.ignore_patterns("__pycache__"))
        with (context / changed).open("a", encoding="utf-8") as code:
            code.write(f"# {time.time()}\n")
        began = time.monotonic()
        dockerfile = str(context / service / "Dockerfile")
        run("docker", "build", "--quiet", "--tag", tag, "-f", dockerfile, str(context), timeout=600)
        seconds = time.monotonic() - began
    run("docker", "image", "rm", "--no-prune", tag)
    return seconds


def memory_megabytes(stack: Stack, services: list[str]) -> dict[str, float]:
    """What each service's container holds now."""
    names = {stack.container(service): service for service in services}
    lines = run("docker", "stats", "--no-stream", "--format", "{{json .}}", *names).splitlines()
    return {
        names[row["Name"]]: _bytes(row["MemUsage"].split(" / ")[0]) / 1e6 for row in map(json.loads, lines)
    }


def _bytes(text: str) -> float:
    unit = text.lstrip("0123456789.")
    return float(text.removesuffix(unit)) * _UNITS[unit]
