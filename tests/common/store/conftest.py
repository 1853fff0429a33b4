"""One store for these tests, each with a prefix of its own."""

from collections.abc import Iterator

import pytest

from harness.object_store import ObjectStore, object_store
from wiki_common.store import place
from wiki_common.store.objects import ObjectPath


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with object_store(tmp_path_factory.mktemp("store") / "log") as started:
        yield started


@pytest.fixture
def folder(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[ObjectPath]:
    """An empty one in the store."""
    for name, value in store.environment().items():
        monkeypatch.setenv(name, value)
    place.object_path.cache_clear()
    yield store.path(request.node.name.replace("[", "-").replace("]", ""))
    place.object_path.cache_clear()
