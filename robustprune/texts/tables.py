"""Reads tables that users upload, guesses their columns and classes, checks them, and turns them into data sets.

A table is a pandas frame. The resulting data set is a .tsv file with the columns ``text`` and ``label`` in the folder of uploads. Its path
is the name that every other call accepts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from robustprune.base.errors import DataError
from robustprune.base.messages import Message, say
from robustprune.texts import datasets, unpacking, uploads

if TYPE_CHECKING:
    import pandas as pd

FORMATS = tuple(unpacking.READERS)
MOST_DIFFERENT_LABELS = 50
# Common column names of sentence pairs: first sentence, second sentence.
PAIRS = (("sentence1", "sentence2"), ("premise", "hypothesis"), ("question", "sentence"), ("question1", "question2"), ("text_a", "text_b"))
TEXT_NAMES = ("text", "sentence", "content", "review", "comment", "body")
LABEL_NAMES = ("label", "labels", "class", "category", "sentiment", "target", "y")


@dataclass(frozen=True)
class Guess:
    """The probable columns of a table.

    Attributes:
        text: the text column.
        label: the label column, or None if no column qualifies.
        second: the column of a second sentence, or None.
    """

    text: str
    label: str | None
    second: str | None


def read(name: str, content: bytes) -> "pd.DataFrame":
    """Reads the table in a file. The suffix of the name selects the format.

    Raises:
        DataError: the format is not supported, or the file is damaged, too large, empty, or has a column name twice.
    """
    kind = Path(name).suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise DataError("texts.format_not_known", name=name, allowed=", ".join(FORMATS[:-1]), last=FORMATS[-1])
    try:
        frame = unpacking.READERS[kind](content)
    except unpacking.TooLarge as error:
        raise DataError("texts.too_large", name=name, size=error.message) from error
    except UnicodeDecodeError as error:
        raise DataError("texts.not_utf8", name=name, byte=error.start) from error
    except Exception as error:  # every reader raises its own kinds; each means that the file is not such a table
        raise DataError("texts.cannot_be_read_as", name=name, kind=kind, why=_why(error)) from error
    if not len(frame) or not len(frame.columns):
        raise DataError("texts.no_rows", name=name)
    frame.columns = [str(column) for column in frame.columns]
    if not frame.columns.is_unique:
        raise DataError("texts.column_twice", name=name, column=frame.columns[frame.columns.duplicated()][0])
    return frame


def read_hub(hub_id: str) -> "pd.DataFrame":
    """Loads the largest split of a data set on the hub, at most its first ``MOST_ROWS`` rows.

    Raises:
        DataError: the data set is not available, most often because this machine is offline.
    """
    try:
        parts = datasets.on_the_hub(hub_id)
    except DataError:
        raise
    except Exception as error:  # the library raises many kinds, most often when offline; each means that the data set is not available
        raise DataError("texts.not_loaded_from_hub", hub_id=hub_id, kind=type(error).__name__) from error
    part = max(parts.values(), key=len)
    return part.select(range(min(len(part), unpacking.MOST_ROWS))).to_pandas()


def guess(frame: "pd.DataFrame") -> Guess:
    """Guesses the text column, the label column and the column of a second sentence."""
    columns = {column.lower(): column for column in frame.columns}
    second = next((columns[b] for a, b in PAIRS if a in columns and b in columns), None)
    first = next((columns[a] for a, b in PAIRS if a in columns and b in columns), None)
    text = first or next((columns[name] for name in TEXT_NAMES if name in columns), None) or max(frame.columns, key=lambda column: _length(frame[column]))
    different = {column: frame[column].astype(str).nunique() for column in frame.columns if column != text}
    # Labels repeat. A column with a different value in every row, such as a row number, is not a label column.
    few = sorted((column for column, count in different.items() if 1 < count <= min(MOST_DIFFERENT_LABELS, len(frame) / 2)), key=different.__getitem__)
    label = next((columns[name] for name in LABEL_NAMES if name in columns and columns[name] in few), None) or next(iter(few), None)
    return Guess(text, label, second)


def label_values(frame: "pd.DataFrame", column: str) -> list[str]:
    """The distinct labels of a column as strings: first the numbers in numerical order, then the other labels. Empty cells do not count.

    Raises:
        DataError: the column has more than ``MOST_DIFFERENT_LABELS`` labels, or fewer than two.
    """
    values = sorted(set(_as_text(frame[column])) - {""}, key=lambda value: (not _is_number(value), float(value) if _is_number(value) else 0.0, value))
    if len(values) > MOST_DIFFERENT_LABELS:
        raise DataError("texts.too_many_labels", column=column, count=len(values))
    if len(values) < 2:
        raise DataError("texts.one_label", column=column, value=repr(values[0]) if values else say("texts.empty_cells"))
    return values


def guess_classes(values: Sequence[str], classes: Sequence[str]) -> dict[str, int | None]:
    """Guesses the model's class index for every label: the class with the same name or number, or None if neither is clear."""
    by_name = {name.lower(): number for number, name in enumerate(classes)}
    numbers = {value: float(value) for value in values if _is_number(value)}
    # Numbers mean classes only if all labels are numbers that fit the classes, counted from 0 or from 1.
    # With ratings from 1 to 5 and a model with two classes, the label 1 is therefore not a class.
    first = next((start for start in (0, 1) if set(numbers.values()) <= set(range(start, start + len(classes)))), None)
    by_number = {} if first is None or len(numbers) < len(values) else {value: int(number) - first for value, number in numbers.items()}
    return {value: by_name.get(value.strip().lower(), by_number.get(value)) for value in values}


def keep(name: str, frame: "pd.DataFrame", text: str, label: str, classes: Mapping[str, int | None]) -> str:
    """Keeps the rows whose label has a class of the model, and stores them as a data set. Returns the name of the data set.

    Args:
        name: the file name of the table.
        frame: the table.
        text: the text column.
        label: the label column.
        classes: the class index of every label. Rows whose label has None are left out.

    Raises:
        DataError: no rows remain, or all remaining rows have the same class.
        StoreError: the file cannot be written.
    """
    import pandas as pd

    numbers = _as_text(frame[label]).map(lambda value: classes.get(value))
    texts = _as_text(frame[text]).str.replace(r"\s+", " ", regex=True).str.strip()
    rows = pd.DataFrame({"text": texts, "label": numbers})[numbers.notna() & (texts != "")]
    if rows["label"].nunique() < 2:
        raise DataError("texts.too_few_rows_left", rows=len(frame), name=name, classes=rows["label"].nunique())
    content = rows.astype({"label": int}).to_csv(index=False, sep="\t", lineterminator="\n")
    return uploads.keep(f"{Path(name).stem}.tsv", content.encode("utf-8"))


def _as_text(column: "pd.Series") -> "pd.Series":
    """The column as strings. A missing value becomes an empty string."""
    return column.astype(object).where(column.notna(), "").astype(str)


def _length(column: "pd.Series") -> float:
    return float(column.head(200).astype(str).str.len().mean())


def _is_number(value: str) -> bool:
    try:
        return float(value) == float(value)  # NaN does not count
    except ValueError:
        return False


def _why(error: Exception) -> Message | str:
    """The first line of the error message of a reader, or the class of the error if there is no message."""
    if error.args and isinstance(error.args[0], Message):
        return error.args[0]
    return next(iter(str(error).splitlines()), type(error).__name__)
