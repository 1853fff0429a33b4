"""The images: shared first layers, no root, and a Spark that works without what is left out of it."""

import fnmatch
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest

from compose.files import ROOT, SERVICE_FOLDERS, load, stages
from wiki_common import VERSION

WEB = ROOT / "services/web"
CONSUMER = ROOT / "services/spark-consumer"
PYSPARK = Path(pyspark.__file__).parent


def _pins(requirements: Path) -> dict[str, str]:
    """Each package with its version and hashes, without the comments."""
    lines = [line for line in requirements.read_text().splitlines() if not line.lstrip().startswith("#")]
    return {
        block.split("==")[0]: block
        for block in re.split(r"\n(?=[a-z])", "\n".join(lines).strip())
    }  # fmt: skip


def _removed_jars() -> list[str]:
    """The patterns of the jars that the images leave out."""
    text = (CONSUMER / "Dockerfile").read_text()
    command = re.search(r"\n && rm (J.*?[^\\])\n", text, re.DOTALL)
    assert command is not None
    return command[1].replace("\\\n", " ").split()


@pytest.mark.parametrize("stage", ["spark-pins", "spark", "java", "runtime-spark"])
def test_consumer_and_web_build_their_first_layers_with_the_same_text(stage: str) -> None:
    assert stages(CONSUMER / "Dockerfile")[stage] == stages(WEB / "Dockerfile")[stage]


@pytest.mark.parametrize("package", ["py4j", "pyarrow", "pyspark"])
def test_the_packages_of_the_shared_layer_are_pinned_alike(package: str) -> None:
    assert _pins(CONSUMER / "requirements.txt")[package] == _pins(WEB / "requirements.txt")[package]


def test_the_duckdb_variant_is_the_web_without_spark() -> None:
    full, slim = _pins(WEB / "requirements.txt"), _pins(WEB / "requirements-duckdb.txt")

    assert {name: pin for name, pin in full.items() if name not in ("py4j", "pyspark")} == slim


@pytest.mark.parametrize("folder", SERVICE_FOLDERS, ids=lambda path: path.name)
def test_an_image_runs_as_the_user_who_owns_the_volume(folder: Path) -> None:
    dockerfile = (folder / "Dockerfile").read_text()

    assert re.findall("^USER (.*)", dockerfile, re.MULTILINE) == ["10001:10001"]
    assert "useradd --uid 10001 --user-group" in dockerfile


def test_only_what_the_images_need_is_sent_to_their_builds() -> None:
    rules = (ROOT / "services/.dockerignore").read_text().splitlines()
    copied = {
        source
        for file in (ROOT / "services").glob("**/Dockerfile")
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", file.read_text(), re.MULTILINE)
        for source in line.split()
    }

    assert rules[1] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied
    assert all((ROOT / "services" / source).exists() for source in copied)


def test_the_images_show_the_version_of_the_code() -> None:
    compose = load(ROOT / "compose.yaml")
    built = [config["build"] for config in compose["services"].values() if "build" in config]

    assert len(built) == len(SERVICE_FOLDERS)
    assert {build["args"]["VERSION"] for build in built} == {VERSION}
    for folder in SERVICE_FOLDERS:
        dockerfile = (folder / "Dockerfile").read_text()
        assert 'org.opencontainers.image.version="${VERSION}"' in dockerfile


def test_each_image_may_be_another_one_and_is_by_default_the_one_that_is_named() -> None:
    """So that each can be named by its digest, in .env alone."""
    listed = dict(re.findall(r"^#(\w+_IMAGE)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    services = load(ROOT / "compose.yaml")["services"]
    used: dict[str, str] = {}
    for config in services.values():
        if "build" in config:
            dockerfile = (ROOT / "services" / config["build"]["dockerfile"]).read_text()
            images = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", dockerfile, re.MULTILINE))
            passed = {name: value for name, value in config["build"]["args"].items() if name in listed}
            assert passed == {name: f"${{{name}:-{image}}}" for name, image in images.items()}
            used |= images
        elif found := re.fullmatch(r"\$\{(\w+_IMAGE):-(.*)\$\{CONFLUENT_VERSION:-(.*)\}\}", config["image"]):
            used[found[1]] = f"{found[2]}{found[3]}"
    assert used == listed


def test_each_pattern_of_removed_jars_still_matches_one() -> None:
    jars = [path.name for path in (PYSPARK / "jars").glob("*.jar")]

    assert [pattern for pattern in _removed_jars() if not fnmatch.filter(jars, pattern)] == []


STREAM = """
import json, sys, time
from pathlib import Path
from pyspark.sql import SparkSession, functions as F

folder = Path(sys.argv[1])
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
    .config("spark.sql.streaming.stateStore.providerClass",
            "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider")
    .getOrCreate()
)
query = (
    spark.readStream.format("rate").option("rowsPerSecond", 20).load()
    .withWatermark("timestamp", "10 minutes").dropDuplicatesWithinWatermark(["value"])
    .withColumn("json", F.to_json(F.struct("value", F.lit("title").alias("title"))))
    .withColumn("title", F.from_json("json", "value long, title string").title)
    .withColumn("date", F.to_date("timestamp"))
    .writeStream.format("parquet").option("path", str(folder / "changes")).option("compression", "zstd")
    .option("checkpointLocation", str(folder / "checkpoint")).partitionBy("date").start()
)
while query.isActive and (query.lastProgress is None or query.lastProgress["batchId"] < 2):
    time.sleep(0.1)
if query.exception():
    raise query.exception()
query.stop()
spark.read.parquet(str(folder / "changes")).cache().createOrReplaceTempView("changes")
rows = spark.sql("SELECT title, count(*) n, count(DISTINCT value) ids FROM changes GROUP BY ALL").toArrow()
print(json.dumps(rows.to_pylist()))
spark.stop()
"""


@pytest.mark.slow
def test_spark_streams_to_parquet_and_answers_sql_without_the_removed_jars(tmp_path: Path) -> None:
    home = tmp_path / "spark"
    (home / "jars").mkdir(parents=True)
    for path in PYSPARK.iterdir():
        if path.name != "jars":
            (home / path.name).symlink_to(path)
    for jar in (PYSPARK / "jars").glob("*.jar"):
        if not any(fnmatch.fnmatch(jar.name, pattern) for pattern in _removed_jars()):
            (home / "jars" / jar.name).symlink_to(jar)

    done = subprocess.run(
        [sys.executable, "-c", STREAM, str(tmp_path)],
        env=os.environ | {"SPARK_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    (row,) = json.loads(done.stdout.splitlines()[-1])
    assert row["title"] == "title"
    assert row["n"] == row["ids"] > 0
