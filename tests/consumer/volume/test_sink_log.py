"""sink_log against the log that Spark writes, and against Spark's own reader of it."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pyspark.sql import SparkSession

from consumer.volumes import Volume
from wiki_consumer.volume import sink_log
from wiki_consumer.volume.sink_log import (
    COMPACT_INTERVAL,
    COMPACT_INTERVAL_SETTING,
    LOG_DIRECTORY,
    SinkLog,
    SinkLogError,
    compact_interval,
    read_sink_log,
)

WRITTEN_IN_NO_YEAR = b'v1\n{"path":"file:///v/date=1/a","modificationTime":1e300,"action":"add"}'


def test_names_the_files_that_spark_reads(volume: Volume, spark: SparkSession) -> None:
    log = read_sink_log(volume.changes)

    assert log.batch_id == 5
    paths = spark.read.parquet(str(volume.changes)).inputFiles()
    assert set(log.files) == {"/".join(urlsplit(path).path.split("/")[-2:]) for path in paths}
    assert len(log.files) == len(volume.raw_files())


def test_leaves_out_what_the_retention_dropped(continued: Volume) -> None:
    log = read_sink_log(continued.changes)

    assert log.batch_id == 8
    assert set(log.files) < {f"{path.parent.name}/{path.name}" for path in continued.raw_files()}


def test_reads_on_from_the_last_compacted_file(volume: Volume) -> None:
    metadata = volume.changes / "_spark_metadata"
    expected = read_sink_log(volume.changes)
    for batch in ("0", "1", "2.compact", "3", "4"):
        (metadata / batch).unlink()

    assert read_sink_log(volume.changes) == expected


def test_ignores_writes_in_flight(volume: Volume) -> None:
    expected = read_sink_log(volume.changes)
    (volume.changes / "_spark_metadata/.6.0d5b3a3e-2f43-4a53-8f0a-0a8f0f3a7a51.tmp").write_text("v1\n{half")

    assert read_sink_log(volume.changes) == expected


def test_a_log_that_was_compacted_at_another_interval_does_not_wait_long_for_the_next_compaction(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink_log, "COMPACT_INTERVAL", 6)
    changes = tmp_path / "changes"
    _let_spark_write(spark, tmp_path, range(15), interval=3)
    # As Spark does once they are old enough; with two of them it would keep to their distance.
    for compacted in (2, 5, 8, 11):
        (changes / LOG_DIRECTORY / f"{compacted}.compact").unlink()
    _let_spark_write(spark, tmp_path, range(15, 18), interval=compact_interval(changes))
    assert (changes / LOG_DIRECTORY / "17.compact").exists()


@pytest.mark.parametrize(
    ("last", "interval"),
    [(None, 240), (239, 240), (119, 120), (359, 120), (30 * 7919 - 1, 30), (120 * 7919 - 1, 120)],
)
def test_the_interval_fits_the_last_compaction(tmp_path: Path, last: int | None, interval: int) -> None:
    assert COMPACT_INTERVAL == 240
    if last is not None:
        _write_batch(tmp_path, "0.compact", "v1")
        _write_batch(tmp_path, f"{last}.compact", "v1")
    assert compact_interval(tmp_path) == interval


def test_takes_the_modification_time_and_undoes_the_escaping_of_the_path(tmp_path: Path) -> None:
    _write_batch(
        tmp_path,
        "0",
        'v1\n{"path":"file:///a%20b/date=2026-01-31/p%25.parquet","modificationTime":1500,"action":"add"}',
    )

    [file] = read_sink_log(tmp_path).files.values()

    assert file.name == "date=2026-01-31/p%.parquet"
    assert file.modified_at.timestamp() == 1.5


def test_a_deleted_file_does_not_count(tmp_path: Path) -> None:
    line = '{{"path":"file:///v/date=2026-01-31/p.parquet","modificationTime":1,"action":"{}"}}'
    _write_batch(tmp_path, "0", "v1\n" + line.format("add"))
    _write_batch(tmp_path, "1", "v1\n" + line.format("delete"))

    assert read_sink_log(tmp_path) == SinkLog(1, {})


def test_without_a_log_nothing_is_committed(tmp_path: Path) -> None:
    assert read_sink_log(tmp_path) == SinkLog(-1, {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v2\n",
        'v1\n{"path"',
        "v1\n{}",
        'v1\n{"path":"file:///v/p.parquet","modificationTime":1,"action":"add"}',
    ],
)
def test_names_the_file_that_it_cannot_read(tmp_path: Path, text: str) -> None:
    _write_batch(tmp_path, "0", text)

    with pytest.raises(SinkLogError, match=r"_spark_metadata/0: "):
        read_sink_log(tmp_path)


@pytest.mark.parametrize("content", [b"\xff", b"v1\n\xff", WRITTEN_IN_NO_YEAR])
def test_names_the_file_that_no_writer_wrote(tmp_path: Path, content: bytes) -> None:
    _write_batch(tmp_path, "0", "")
    (tmp_path / "_spark_metadata/0").write_bytes(content)

    with pytest.raises(SinkLogError, match=r"_spark_metadata/0: "):
        read_sink_log(tmp_path)


def test_a_missing_batch_is_an_error(volume: Volume) -> None:
    metadata = volume.changes / "_spark_metadata"
    (metadata / "5.compact").rename(metadata / "7")

    with pytest.raises(SinkLogError, match="batch 5 of 7 is missing"):
        read_sink_log(volume.changes)


def _write_batch(changes: Path, name: str, text: str) -> None:
    (changes / "_spark_metadata").mkdir(exist_ok=True)
    (changes / "_spark_metadata" / name).write_text(text)


def _let_spark_write(spark: SparkSession, path: Path, batches: range, *, interval: int) -> None:
    """A batch each of one line, with a log that is compacted at `interval`."""
    source = path / "source"
    source.mkdir(exist_ok=True)
    for batch in batches:
        (source / f"{batch:02d}.txt").write_text("line")
    session = spark.newSession()  # with settings of its own
    session.conf.set(COMPACT_INTERVAL_SETTING, interval)
    query = (
        session.readStream.option("maxFilesPerTrigger", 1)
        .text(str(source))
        .writeStream.format("parquet")
        .option("path", str(path / "changes"))
        .option("checkpointLocation", str(path / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
