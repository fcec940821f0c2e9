"""Files that are no tables, or tables made to do harm, by every way that a table comes in: taken, or refused with a sentence."""

import io
import json
import os
import resource
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robustprune import lab
from robustprune.base.errors import RobustPruneError
from robustprune.texts import datasets, tables
from tests.trust.table import Row

EXAMPLES, MOST_MEMORY = 400, 1e9
MODEL = "sst2-demo"
WORDS = ("good", "bad", "fine", "dull", "warm", "cold", "new", "old", "long", "odd")
ROWS = [{"text": f"a {word} film", "label": number % 2} for number, word in enumerate(WORDS)]
CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)  # fmt: skip
LINES = st.lists(st.dictionaries(st.sampled_from(["text", "label", "Text", "", "a\nb", "1"]), CELLS, max_size=4), max_size=8)
CONTENTS = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    LINES.map(lambda lines: "\n".join(map(json.dumps, lines)).encode()),
    st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=4), max_size=9).map(lambda rows: "\n".join(",".join(row) for row in rows).encode()),
)


def bring(name: str, content: bytes) -> None:
    """All that the page does with a file: reads it, guesses its columns, maps its labels, keeps it, reads it again."""
    labels = lab.find_model(MODEL).labels
    try:
        frame = tables.read(name, content)
        guess = tables.guess(frame)
        columns = [column for column in frame.columns if column != guess.text]
        label = guess.label or (columns[0] if columns else guess.text)
        values = tables.label_values(frame, label)
        classes = {value: number % 2 for number, value in enumerate(values)} if len(values) > 1 else tables.guess_classes(values, labels)
        tables.guess_classes(values, labels)
        made = lab.bring_data(MODEL, name, frame, guess.text, label, classes)
        assert len(datasets.load(made.name, "calibration")) > 0
    except RobustPruneError as error:
        assert len(str(error)) < 2_000, "the sentence is a book"


def read(suffix: str, content: bytes) -> None:
    """A file that the command line names."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"mine{suffix}"
        path.write_bytes(content)
        try:
            datasets.load(str(path), "calibration")
        except RobustPruneError as error:
            assert len(str(error)) < 2_000, "the sentence is a book"


def _parquet(table: pa.Table) -> bytes:
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    return content.getvalue()


def bomb() -> bytes:
    """A small file that stands for gigabytes: a column of one long text, again and again."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 400_000, pa.int32()), ["a" * 50_000])
    return _parquet(pa.table({"text": texts}))


def zeros() -> bytes:
    """Half a gigabyte of nothing, in kilobytes."""
    return _parquet(pa.table({"text": pa.array([" " * 1_000_000] * 500), "label": pa.array([0, 1] * 250)}))


def doubled() -> bytes:
    """Two columns of one name."""
    return _parquet(pa.Table.from_arrays([pa.array(["a film"] * 10), pa.array([0, 1] * 5), pa.array([1, 0] * 5)], names=["text", "label", "label"]))


def equal() -> bytes:
    """One text of megabytes in every row, in a file of as much as one."""
    return _parquet(pa.table({"text": pa.DictionaryArray.from_arrays(pa.array([0] * 256, pa.int32()), [b"a" * 2_000_000])}))


HARM = {
    "a parquet file of equal bytes": ("mine.parquet", equal),
    "another key in every line": ("mine.jsonl", lambda: "\n".join(f'{{"k{number}": 1}}' for number in range(30_000)).encode()),
    "keys that come again, in too many lines": ("mine.jsonl", lambda: "\n".join(f'{{"k{number % 900}": 1}}' for number in range(30_000)).encode()),
    "a header of commas": ("mine.csv", lambda: b"," * 5_000_000),
    "a line of commas": ("mine.csv", lambda: b"text,label\n" + b"," * 5_000_000),
    "a third line of commas": ("mine.csv", lambda: b"text,label\na film,1\n" + b"," * 5_000_000),
    "a parquet bomb of one text": ("mine.parquet", bomb),
    "a parquet bomb of blanks": ("mine.parquet", zeros),
    "columns of one name": ("mine.parquet", doubled),
    "half a character in JSON": ("mine.jsonl", lambda: "\n".join(json.dumps({**row, "text": "half \ud800 of it"}) for row in ROWS).encode()),
    "JSON that is deep": ("mine.jsonl", lambda: b'{"text": ' + b"[" * 100_000),
    "numbers without end": ("mine.jsonl", lambda: "\n".join(f'{{"text": "a", "label": 1e{number}}}' for number in range(400, 410)).encode()),
    "a name of columns that is code": ("mine.csv", lambda: b"=cmd|' /C calc'!A0,label\n" + b"a film,1\nb film,0\n" * 10),
    "a field of ten megabytes": ("mine.csv", lambda: b'text,label\n"' + b"a" * 10_000_000 + b'",1\nb,0\n'),
    "a quotation that never ends": ("mine.csv", lambda: b'text,label\n"' + b"a film,1\n" * 10_000),
    "zero bytes": ("mine.csv", lambda: b"text,label\n\0\0,1\nb,0\n" * 5),
    "a file of another kind": ("mine.parquet", lambda: b"PK\x03\x04" + b"\0" * 1000),
    "a name that is a path": ("../../../mine.csv", lambda: pd.DataFrame(ROWS).to_csv(index=False).encode()),
    "a name that is none": (".csv", lambda: b""),
    "a hundred thousand columns": ("mine.csv", lambda: ",".join(f"c{n}" for n in range(100_000)).encode() + b"\n" + b"1," * 99_999 + b"1"),
}


def check(name: str) -> None:
    """Brings a file that does harm. Raises AssertionError unless it is taken, or refused with a sentence, in little memory."""
    file, content = HARM[name]
    given, before = content(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bring(file, given)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < MOST_MEMORY, f"it took {grown / 1e6:.0f} MB"


def rows(home: Path) -> Iterator[Row]:
    """Made to do harm, then drawn by chance."""
    os.environ["ROBUSTPRUNE_HOME"] = str(home / "store")
    harm, drawn = Row("hostile data files"), Row("data files drawn by chance")
    for name in HARM:
        with harm.trying(name):
            check(name)
    for form in ("csv", "tsv", "jsonl", "parquet"):
        with drawn.trying(form):
            draw(partial(bring, f"mine.{form}"), CONTENTS)
    for suffix in datasets.DELIMITERS:
        with drawn.trying(f"as the command line's {suffix}"):
            draw(partial(read, suffix), CONTENTS)
    drawn.notes.append(f"{EXAMPLES} files each")
    yield from (harm, drawn)


def draw(check: Callable[[Any], None], values: st.SearchStrategy, examples: int = EXAMPLES) -> None:
    """Tries a check on many values; the smallest that breaks it is in the error."""

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(values)
    def every(value: object) -> None:
        check(value)

    every()
