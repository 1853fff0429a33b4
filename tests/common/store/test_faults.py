"""What a store does now and then: requests are made again, and a write that was made is known as such."""

from collections.abc import Iterator

import pytest

from harness.object_store import ObjectStore
from harness.store_proxy import CUT, LOST, REFUSED, SLOW, StoreProxy, store_proxy
from wiki_common.store import place
from wiki_common.store.bucket import Changed
from wiki_common.store.objects import ObjectPath
from wiki_consumer.volume.drafts import ObjectDraft


@pytest.fixture
def proxy(s3: ObjectStore, seed: int) -> Iterator[StoreProxy]:
    with store_proxy(s3.endpoint, seed) as proxy:
        yield proxy


@pytest.fixture
def behind(s3_folder: ObjectPath, proxy: StoreProxy, monkeypatch: pytest.MonkeyPatch) -> ObjectPath:
    """The folder, through the proxy."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
    place.object_path.cache_clear()
    return place.object_path(str(s3_folder))


@pytest.mark.parametrize("fault", [SLOW, REFUSED, CUT, LOST])
def test_a_fault_now_and_then_is_not_noticed(behind: ObjectPath, proxy: StoreProxy, fault: str) -> None:
    proxy.faults = {fault: 0.3}
    for number in range(8):
        file = behind / f"{number}"
        file.write_bytes(b"content")
        assert file.read_bytes() == b"content"
    proxy.faults = {fault: 1.0}
    assert len(list(behind.iterdir())) == 8
    assert (behind / "7").stat().st_size == 7
    assert proxy.befell[fault] > 0


@pytest.mark.parametrize("fault", [REFUSED, CUT, LOST])
def test_a_fault_that_stays_is_told_in_a_line(behind: ObjectPath, proxy: StoreProxy, fault: str) -> None:
    proxy.faults, proxy.in_a_row = {fault: 1.0}, 1000
    with pytest.raises(OSError, match=r"503 SlowDown|onnection was closed|answer was cut") as told:
        (behind / "file").write_bytes(b"content")
    assert str(behind / "file") in str(told.value)


def test_a_file_that_was_written_though_its_answer_was_cut_is_published(
    behind: ObjectPath, proxy: StoreProxy, s3_folder: ObjectPath
) -> None:
    """The request that is made again finds a file there: its own."""
    refused = 0
    proxy.faults = {CUT: 0.5}
    for number in range(10):
        draft = ObjectDraft(behind / f"{number}", replaces="")
        with draft.writing() as file:
            file.write(b"content")
        draft.publish()
        again = ObjectDraft(behind / f"{number}", replaces="")
        with again.writing() as file:
            file.write(b"another content")
        try:
            again.publish()
        except Changed:
            refused += 1
    assert refused == 10
    assert {(s3_folder / f"{number}").read_bytes() for number in range(10)} == {b"content"}
    assert proxy.befell[CUT] > 0
