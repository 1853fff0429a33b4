"""A place in a bucket, as the services use it."""

from pathlib import Path

import pytest

from wiki_common.store.bucket import Changed
from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import place_named
from wiki_common.store.reading import TAIL


def test_what_is_written_is_read(s3_folder: ObjectPath) -> None:
    file = s3_folder / "changes/date=2026-01-31/a.parquet"
    file.write_bytes(b"content")
    assert file.read_bytes() == b"content"
    assert file.read_text() == "content"
    assert file.exists()
    assert file.stat().st_size == 7
    file.unlink()
    assert not file.exists()
    with pytest.raises(FileNotFoundError, match="there is no such object"):
        file.read_bytes()


def test_names_are_those_of_a_folder(s3_folder: ObjectPath) -> None:
    for name in ("history/date=2026-01-31/hour=07/part-0.parquet", "history/date=2026-01-31/other", "a", "b"):
        (s3_folder / name).write_bytes(b"")
    assert sorted(each.name for each in s3_folder.iterdir()) == ["a", "b"]
    assert s3_folder.folders() == ["history"]
    assert s3_folder.is_dir()
    assert not (s3_folder / "nothing").is_dir()
    assert not (s3_folder / "history").exists()
    (hour,) = (s3_folder / "history").glob("date=*/hour=*/part-0.parquet")
    assert hour == s3_folder / "history/date=2026-01-31/hour=07/part-0.parquet"
    assert hour.parent.parts[-2:] == ("date=2026-01-31", "hour=07")
    assert len(list(s3_folder.all_below())) == 4


def test_more_names_than_the_store_gives_at_once(s3_folder: ObjectPath) -> None:
    for number in range(5):
        (s3_folder / f"{number}").write_bytes(b"")
    assert len(list(s3_folder.bucket.keys(f"{s3_folder.key}/", most=2))) == 5


def test_a_condition_is_kept_to(s3_folder: ObjectPath) -> None:
    file = s3_folder / "file"
    first = file.write_bytes(b"1", if_absent=True)
    with pytest.raises(Changed):
        file.write_bytes(b"2", if_absent=True)
    second = file.write_bytes(b"2", if_match=first)
    with pytest.raises(Changed):
        file.write_bytes(b"3", if_match=first)
    assert file.read_bytes() == b"2"
    assert file.stat().etag == second


@pytest.mark.parametrize("size", [0, 10, TAIL, TAIL + 1, 3 * TAIL])
def test_a_part_is_read(s3_folder: ObjectPath, size: int) -> None:
    file, content = s3_folder / "file", bytes(range(256)) * (size // 256) + bytes(size % 256)
    file.write_bytes(content)
    with file.open("rb") as opened:
        for start, length in ((0, 10), (size - 10, 20), (size // 2, size), (5, -1)):
            opened.seek(max(0, start))
            expected = content[max(0, start) :]
            assert opened.read(length) == (expected if length < 0 else expected[:length])
        assert opened.seek(0, 2) == size
        assert opened.read() == b""


def test_an_object_is_read_as_it_was_or_not_at_all(s3_folder: ObjectPath) -> None:
    file = s3_folder / "file"
    file.write_bytes(b"1" * 2 * TAIL)
    with file.open("rb") as opened:
        assert opened.read(3) == b"111"
        file.write_bytes(b"2" * 2 * TAIL)
        opened.seek(TAIL // 2)
        with pytest.raises(Changed):
            opened.read(TAIL)


def test_a_store_that_is_away_is_told_in_a_line(
    s3_folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(OSError, match="Could not connect to the endpoint URL") as raised:
        (s3_folder / "file").read_bytes()
    assert "\n" not in str(raised.value)


def test_what_names_a_place_leads_to_it(s3_folder: ObjectPath, tmp_path: Path) -> None:
    (s3_folder / "a=1/file").write_bytes(b"content")
    assert place_named(str(s3_folder / "a=1/file")).read_bytes() == b"content"
    assert place_named(str(tmp_path)) == tmp_path
