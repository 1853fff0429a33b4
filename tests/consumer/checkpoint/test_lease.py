"""One writer at a time in an object store."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from wiki_common.store.bucket import Bucket
from wiki_common.store.objects import ObjectPath
from wiki_consumer.checkpoint.lease import SECONDS, Lease, LeaseLost
from wiki_consumer.checkpoint.lock import NotWritable, exclusive


class Clock:
    """Of a machine; the store's goes on by itself."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lock(s3_folder: ObjectPath) -> ObjectPath:
    return s3_folder / "checkpoints/.lock"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def answers_cut(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is written arrives, and seems to fail."""
    write = Bucket.put

    def write_and_fail(*arguments: object, **named: object) -> str:
        write(*arguments, **named)  # type: ignore[arg-type]
        raise OSError("cut")

    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "put", write_and_fail)
        yield


def test_one_holds_it_until_it_is_given_back(lock: ObjectPath, clock: Clock) -> None:
    holder, other = Lease(lock, clock=clock), Lease(lock, clock=clock)
    assert holder.take()
    assert not other.take()
    holder.renew()
    assert not other.take()
    holder.give_back()
    assert other.take()
    with pytest.raises(LeaseLost, match="another consumer has taken it"):
        holder.renew()
    holder.give_back()
    other.renew()


def test_one_that_is_not_renewed_is_taken_and_its_holder_learns_of_it(lock: ObjectPath, clock: Clock) -> None:
    holder, other = Lease(lock, clock=clock), Lease(lock, clock=clock)
    assert holder.take()
    assert not other.take()
    clock.now += SECONDS
    assert not other.take()
    clock.now += 2.5
    with pytest.raises(LeaseLost, match="could not be renewed for 20 s"):
        holder.renew()
    assert other.take()


def test_one_that_is_renewed_is_not_taken_however_long_it_is_held(lock: ObjectPath, clock: Clock) -> None:
    holder, other = Lease(lock, clock=clock), Lease(lock, clock=clock)
    assert holder.take()
    for _ in range(10):
        assert not other.take()
        clock.now += SECONDS * 0.9
        holder.renew()


def test_of_two_that_find_it_free_one_gets_it(
    lock: ObjectPath, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other's look came before, its request comes after."""
    holder, first, second = (Lease(lock, clock=clock) for _ in range(3))
    assert holder.take()
    holder.give_back()
    look = Bucket.get

    def look_and_be_late(*arguments: object, **named: object) -> object:
        found = look(*arguments, **named)  # type: ignore[arg-type]
        monkeypatch.setattr(Bucket, "get", look)
        assert second.take()
        return found

    monkeypatch.setattr(Bucket, "get", look_and_be_late)
    assert not first.take()
    second.renew()


def test_a_request_that_seemed_to_fail_is_known_again(
    lock: ObjectPath, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = Lease(lock, clock=clock)
    with answers_cut(monkeypatch), pytest.raises(OSError, match="cut"):
        holder.take()
    assert holder.take()
    with answers_cut(monkeypatch), pytest.raises(OSError, match="cut"):
        holder.renew()
    holder.renew()
    holder.renew()
    assert not Lease(lock, clock=clock).take()


@pytest.mark.parametrize("renewed", [True, False], ids=["before", "after"])
def test_it_is_given_back_while_a_renewal_is_on_its_way(
    lock: ObjectPath, clock: Clock, monkeypatch: pytest.MonkeyPatch, renewed: bool
) -> None:
    """That comes to the store before what gives it back, or after; its answer comes last."""
    holder = Lease(lock, clock=clock)
    assert holder.take()
    write = Bucket.put

    def write_beside_giving_back(*arguments: object, **named: object) -> str:
        monkeypatch.setattr(Bucket, "put", write)
        if not renewed:
            holder.give_back()
        etag = write(*arguments, **named)  # type: ignore[arg-type]
        if renewed:
            holder.give_back()
        return etag

    monkeypatch.setattr(Bucket, "put", write_beside_giving_back)
    if renewed:
        holder.renew()
    else:
        with pytest.raises(LeaseLost):
            holder.renew()
    assert Lease(lock, clock=clock).take()


def test_it_is_given_back_after_a_renewal_that_seemed_to_fail(
    lock: ObjectPath, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = Lease(lock, clock=clock)
    assert holder.take()
    with answers_cut(monkeypatch), pytest.raises(OSError, match="cut"):
        holder.renew()
    holder.give_back()
    assert Lease(lock, clock=clock).take()


def test_commands_take_it_too(lock: ObjectPath) -> None:
    with exclusive(lock) as alone:
        assert alone
        with exclusive(lock) as second:
            assert not second
    with exclusive(lock) as alone:
        assert alone


def test_a_store_that_is_away_is_no_writable_volume(
    lock: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(NotWritable, match=r"DATA_DIR can't be written to \(s3://.*/.lock: Could not connect"):
        exclusive(lock).__enter__()
