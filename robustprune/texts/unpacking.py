"""Reads tables from the bytes of a file in bounded memory, because a file of some kilobytes can become gigabytes when it is read.

Every reader raises TooLarge if its result exceeds the limits, and checks this before any step that could multiply the size of the data.
Any other error of a reader means that the file is not such a table.
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
# The largest unpacked size in bytes, four times the upload limit, and the number of rows that are unpacked at a time.
MOST_UNPACKED, PIECE_ROWS = 200_000_000, 256
# The number of bytes in which the first two lines of a table are searched. These lines determine the number of columns.
LONGEST_HEAD = 2_000_000


class TooLarge(Explained):
    """The table is larger than the limits. The message names the limit and, for rows, columns and cells, the size of the table."""


def _check_size(rows: int, columns: int) -> None:
    if rows > MOST_ROWS:
        raise TooLarge("texts.rows_too_many", rows=rows, most=MOST_ROWS)
    if columns > MOST_COLUMNS:
        raise TooLarge("texts.columns_too_many", columns=columns, most=MOST_COLUMNS)
    if rows * columns > MOST_CELLS:
        raise TooLarge("texts.cells_too_many", cells=rows * columns, most=MOST_CELLS)


def _separated(content: bytes, separator: str) -> "pd.DataFrame":
    """Reads CSV and TSV.

    The first two lines are checked before the rest. If the second line is longer than the first, pandas uses the first columns as row names.
    """
    import pandas as pd

    lines = csv.reader(io.TextIOWrapper(io.BytesIO(content[:LONGEST_HEAD]), encoding="utf-8", errors="replace", newline=""), delimiter=separator)
    for line in (next(lines, []) for _ in range(2)):
        _check_size(1, len(line))
    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, sep=separator)
    _check_size(*frame.shape)
    return frame


def _json_lines(content: bytes) -> "pd.DataFrame":
    """Reads JSON Lines: one object per line. A key that occurs in one line makes a column, and so a cell in every row."""
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
    """Reads Parquet in pieces of ``PIECE_ROWS`` rows. Columns with nested types are left out.

    Text columns stay dictionary-encoded (an index per row) until their total length has been checked.
    """
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
    """The number of bytes that a column takes after its dictionary is decoded, when every row holds its own copy of its text."""
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
