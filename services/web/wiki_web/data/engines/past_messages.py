"""What is asked of the process of past moments, and what it answers: Arrow streams that begin with words."""

import json
from typing import Any, BinaryIO, Final

import pyarrow as pa

_WORDS: Final = b"words"


def send(stream: BinaryIO, words: dict[str, Any], rows: pa.Table) -> None:
    """Raises OSError if nobody reads it."""
    rows = rows.replace_schema_metadata({_WORDS: json.dumps(words)})
    with pa.ipc.new_stream(stream, rows.schema) as writer:
        writer.write_table(rows)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], pa.Table]:
    """Raises OSError or pa.ArrowInvalid if the other end is gone."""
    with pa.ipc.open_stream(stream) as reader:
        rows = reader.read_all()
    return json.loads(rows.schema.metadata[_WORDS]), rows.replace_schema_metadata()
