"""Whatever lies on the volume: the start and the maintenance pass it over, or name it, and lose nothing."""

import shutil

from hypothesis import example, given
from hypothesis import strategies as st

from consumer.volumes import CLOSED, MAX_EVENT_AGE, Volume, clean_up
from harness.fuzzing import tries
from harness.strange_volumes import Damage, damages, foreign_files, leave
from wiki_consumer.query.preparation import prepare


@tries(20)
@given(names=foreign_files, content=st.none() | st.just(b"") | st.just(b"PAR1"))
@example(names=["history/date=2026-13-01/hour=07/part-0.parquet"], content=b"")
@example(names=["history/date=2026-01-31/hour=99/part-0.parquet"], content=b"")
@example(names=["changes/date=2026-01-30"], content=b"")
@example(names=["changes/date=x/20260131T120000Z-0000000009.parquet"], content=b"")
@example(names=["changes/date=2026-01-31/99999999T999999Z-0000000001.parquet"], content=b"")
@example(names=["history/date=2026-01-30"], content=b"")
def test_files_of_others_change_nothing(volume: Volume, names: list[str], content: bytes | None) -> None:
    copy = volume.copy_to(volume.path.with_name("strange"))
    try:
        leave(copy.path, names, content)
        as_of = prepare(copy.folders, max_event_age=MAX_EVENT_AGE).as_of
        assert as_of == prepare(volume.folders, max_event_age=MAX_EVENT_AGE).as_of
        assert clean_up(copy).failures == []
        assert copy.folders.hours() == CLOSED
        assert copy.what_a_reader_sees() == copy.ids
    finally:
        shutil.rmtree(copy.path)


@tries(20)
@given(damages)
@example([Damage(0, 0.3, b"\1\2\3\4")])
def test_a_damaged_file_is_named_and_its_rows_are_there_once_it_is_whole(
    volume: Volume, done: list[Damage]
) -> None:
    copy = volume.copy_to(volume.path.with_name("damaged"))
    try:
        files = copy.raw_files()
        undo = [damage.do(files) for damage in done]
        prepare(copy.folders, max_event_age=MAX_EVENT_AGE)
        for failure in copy.maintenance().run().failures:
            assert any(file.name in failure for file in files), failure
        for each in reversed(undo):
            each()
        assert clean_up(copy).failures == []
        assert copy.what_a_reader_sees() == copy.ids
    finally:
        shutil.rmtree(copy.path)
