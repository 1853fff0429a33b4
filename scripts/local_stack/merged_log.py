"""The services' log files as one stream of lines, each with its service's name before it."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, TextIO

_OWN = "run-local"
_COLOURS = (36, 33, 32, 35, 34, 31, 96, 93)


class _Tail:
    """The lines appended to a file that may not exist yet and may be rotated away by renaming."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._partial = b""

    def lines(self) -> list[str]:
        """Whole lines since the last call."""
        *whole, self._partial = (self._partial + self._read()).split(b"\n")
        return [line.decode("utf-8", "replace").rstrip("\r") for line in whole]

    def close(self) -> list[str]:
        """The lines that are left, the last one even without its end."""
        left = self.lines()
        if self._partial:
            left.append(self._partial.decode("utf-8", "replace"))
        if self._file:
            self._file.close()
        return left

    def _read(self) -> bytes:
        text = self._file.read() if self._file else b""
        if not text and self._is_replaced():
            if self._file:
                self._file.close()
            self._file = self._path.open("rb")
            text = self._file.read()
        return text

    def _is_replaced(self) -> bool:
        """Whether the path leads to another file than the one that is open."""
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False
        if self._file is None:
            return True
        opened = os.fstat(self._file.fileno())
        return (now.st_dev, now.st_ino) != (opened.st_dev, opened.st_ino)


class MergedLog:
    """Prints what the services write to `folder`/NAME.log; names are coloured on a terminal."""

    def __init__(self, folder: Path, names: Iterable[str], out: TextIO, *, colour: bool) -> None:
        self._tails = {name: _Tail(folder / f"{name}.log") for name in names}
        self._out = out
        self.is_read = True
        """False once the terminal or pipe that the lines go to is gone."""
        width = max(len(name) for name in [*self._tails, _OWN])
        self._labels = {name: name.ljust(width) for name in [*self._tails, _OWN]}
        if colour:
            for index, (name, label) in enumerate(self._labels.items()):
                self._labels[name] = f"\x1b[{_COLOURS[index % len(_COLOURS)]}m{label}\x1b[0m"

    def say(self, text: str) -> None:
        """Print lines of run-local's own, after all that the services have written before."""
        self.pump()
        self._print((_OWN, line) for line in text.splitlines())

    def pump(self) -> None:
        """Print what has been written since the last call."""
        self._print((name, line) for name, tail in self._tails.items() for line in tail.lines())

    def close(self) -> None:
        """Print what is left of the services' lines."""
        self._print((name, line) for name, tail in self._tails.items() for line in tail.close())
        self._tails = {}

    def _print(self, lines: Iterable[tuple[str, str]]) -> None:
        text = "".join(f"{self._labels[name]} | {line}\n" for name, line in lines)
        try:
            self._out.write(text)
            self._out.flush()
        except OSError:
            self.is_read = False
            # What is still buffered would fail again at the interpreter's exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
