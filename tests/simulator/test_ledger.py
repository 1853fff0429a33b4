"""The ledger file."""

from contextlib import closing
from pathlib import Path

from stream_simulator.ledger import FileLedger


def test_lines_are_in_the_file_when_record_returns_and_are_added_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    with closing(FileLedger(path)) as first:
        first.record('{"a":"é"}\n')
        assert path.read_text(encoding="utf-8") == '{"a":"é"}\n'
    with closing(FileLedger(path)) as second:
        second.record("{}\n")
    assert path.read_text(encoding="utf-8") == '{"a":"é"}\n{}\n'
