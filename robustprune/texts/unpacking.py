"""Tables out of the bytes of a file, in bounded memory: what takes kilobytes as a file may be gigabytes when it is read.

Every reader looks at how much there would be before it makes it. Whatever else they raise means that the file is no such table.
"""

import csv
import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

from robustprune.base.errors import Explained
from robustprune.base.messages import say

MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 500_000, 1_000, 20_000_000
# Bytes: four times what may be uploaded. So many rows are unpacked at a time.
MOST_UNPACKED, PIECE_ROWS = 200_000_000, 256
# Bytes of the first two lines of a table, which settle how many columns it has.
LONGEST_HEAD = 2_000_000


class TooLarge(Explained):
    """More than is read; the message says how much, and how much at most is read."""


def _check_size(rows: int, columns: int) -> None:
    if rows > MOST_ROWS:
        raise TooLarge("texts.rows_too_many", rows=rows, most=MOST_ROWS)
    if columns > MOST_COLUMNS:
        raise TooLarge("texts.columns_too_many", columns=columns, most=MOST_COLUMNS)
    if rows * columns > MOST_CELLS:
        raise TooLarge("texts.cells_too_many", cells=rows * columns, most=MOST_CELLS)


def _separated(content: bytes, separator: str) -> "pd.DataFrame":
    """CSV and the like. Where the second line is longer than the first, pandas takes its first columns for names of rows."""
    import pandas as pd

    lines = csv.reader(io.TextIOWrapper(io.BytesIO(content[:LONGEST_HEAD]), encoding="utf-8", errors="replace", newline=""), delimiter=separator)
    for line in (next(lines, []) for _ in range(2)):
        _check_size(1, len(line))
    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, sep=separator)
    _check_size(*frame.shape)
    return frame


def _json_lines(content: bytes) -> "pd.DataFrame":
    """JSON Lines: an object a line. A key that one line has is a cell in all."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    keys: dict[str, None] = {}
    for line in io.BytesIO(content):
        if not line.strip():
            continue
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError(say("texts.line_no_object", line=len(rows) + 1))
        rows.append(row)
        keys.update(dict.fromkeys(row))
        _check_size(len(rows), len(keys))
    return pd.DataFrame(rows, columns=list(keys))


def _parquet(content: bytes) -> "pd.DataFrame":
    """Parquet: piece by piece, and texts as numbers of texts until it is known how long they are together. Columns of lists are left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(io.BytesIO(content))
    flat = [field.name for field in schema if not pa.types.is_nested(field.type)]
    texts = [field.name for field in schema if _is_text(field.type)]
    file = pq.ParquetFile(io.BytesIO(content), read_dictionary=texts)
    _check_size(file.metadata.num_rows, len(schema))
    _check_bytes(sum(file.metadata.row_group(number).total_byte_size for number in range(file.num_row_groups)))
    pieces, size = [], 0
    for piece in file.iter_batches(PIECE_ROWS, columns=flat):
        size += sum(map(_plain_bytes, piece.columns))
        _check_bytes(size)
        columns = [column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in piece.columns]
        pieces.append(pa.RecordBatch.from_arrays(columns, names=piece.schema.names))
    return pa.Table.from_batches(pieces).to_pandas()


def _check_bytes(size: int) -> None:
    if size > MOST_UNPACKED:
        raise TooLarge("texts.bytes_too_many", most=MOST_UNPACKED // 10**6)


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary))


def _plain_bytes(column: "pa.Array") -> int:
    """The bytes that a column takes once every row has a text of its own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type) or not _is_text(column.type.value_type):
        return column.nbytes
    lengths = pc.binary_length(column.dictionary).cast(pa.int64()).take(column.indices)
    return column.nbytes + (pc.sum(lengths).as_py() or 0)


READERS: dict[str, Callable[[bytes], "pd.DataFrame"]] = {
    "csv": lambda content: _separated(content, ","),
    "tsv": lambda content: _separated(content, "\t"),
    "jsonl": _json_lines,
    "parquet": _parquet,
}
