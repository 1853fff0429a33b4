"""A reader that looks at a volume all the time, on a disk or in an object store."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from consumer import any_reader
from consumer.volumes import what_a_reader_sees
from wiki_common.store.place import Place
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import list_raw_files

# Files stay for a while after their hour was closed: these see every row.
OTHERS: Mapping[str, Callable[[Path], Counter[str]]] = {
    "DuckDB": any_reader.with_duckdb,
    "pyarrow": any_reader.with_pyarrow,
}


class Reader:
    """Notes each look at the volume `data` that lost a row or saw one twice.

    It rests for `pause` seconds after each look. `others` read `changes` alone, of which no file may go.
    """

    def __init__(self, data: Place, pause: float, others: Mapping[str, Callable[[], Counter[str]]]) -> None:
        self._others = others
        self._pause = pause
        self._data = data
        self._volume = ConsumerVolume(data)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.looks = 0
        self.faults: list[str] = []
        self._thread.start()

    def _run(self) -> None:
        last: Counter[str] = Counter()
        others: dict[str, Counter[str]] = {name: Counter() for name in self._others}
        while not self._ended.wait(self._pause):
            before = self._volume.history_end()
            try:
                seen = what_a_reader_sees(self._data)
            except FileNotFoundError:
                continue  # an hour's files may go while a slow look still reads them: it has to look again
            if self._volume.history_end() != before:
                continue  # an hour that was published meanwhile may be counted from both sides
            self.looks += 1
            self._note("history and changes", last, seen)
            last = seen
            if not self._others or not list_raw_files(self._volume.changes):
                continue
            for name, read in self._others.items():
                found = read()
                self._note(name, others[name], found)
                others[name] = found

    def _note(self, who: str, before: Counter[str], seen: Counter[str]) -> None:
        lost, double = before - seen, seen - Counter(seen.keys())
        if lost or double:
            self.faults.append(f"{who}, {self.looks}: lost {list(lost)[:5]}, double {list(double)[:5]}")

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


@contextmanager
def reader(data: Place, *, pause: float = 0, others: bool = False) -> Iterator[Reader]:
    """With `others` those that know nothing of us look too, at a volume on a disk."""
    look_too: dict[str, Callable[[], Counter[str]]] = {}
    if others and isinstance(data, Path):
        look_too = {name: partial(read, data / "changes") for name, read in OTHERS.items()}
    looking = Reader(data, pause, look_too)
    try:
        yield looking
    finally:
        looking.end()
