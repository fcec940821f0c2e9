"""People's own tables: read whatever their format, columns and labels guessed, checked, and turned into a data set that every call takes.

A table is a pandas frame; what becomes of it is a .tsv file with ``text`` and ``label`` among the uploads.
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
# Names under which a second sentence commonly stands.
PAIRS = (("sentence1", "sentence2"), ("premise", "hypothesis"), ("question", "sentence"), ("question1", "question2"), ("text_a", "text_b"))
TEXT_NAMES = ("text", "sentence", "content", "review", "comment", "body")
LABEL_NAMES = ("label", "labels", "class", "category", "sentiment", "target", "y")


@dataclass(frozen=True)
class Guess:
    """What a table looks like: its text column, its label column (None where none qualifies), and a second sentence if it has one."""

    text: str
    label: str | None
    second: str | None


def read(name: str, content: bytes) -> "pd.DataFrame":
    """The table in a file, by its ending.

    Raises:
        DataError: another format, or it cannot be read; the message says how to save it.
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
    except Exception as error:  # every reader has its own kinds; each means that this is no such table
        raise DataError("texts.cannot_be_read_as", name=name, kind=kind, why=_why(error)) from error
    if not len(frame) or not len(frame.columns):
        raise DataError("texts.no_rows", name=name)
    frame.columns = [str(column) for column in frame.columns]
    if not frame.columns.is_unique:
        raise DataError("texts.column_twice", name=name, column=frame.columns[frame.columns.duplicated()][0])
    return frame


def read_hub(hub_id: str) -> "pd.DataFrame":
    """The largest split of a data set on the hub.

    Raises:
        DataError: it is not to be had; offline above all.
    """
    try:
        parts = datasets.on_the_hub(hub_id)
    except DataError:
        raise
    except Exception as error:  # many kinds, offline above all; each means: not to be had
        raise DataError("texts.not_loaded_from_hub", hub_id=hub_id, kind=type(error).__name__) from error
    part = max(parts.values(), key=len)
    return part.select(range(min(len(part), unpacking.MOST_ROWS))).to_pandas()


def guess(frame: "pd.DataFrame") -> Guess:
    """The columns that look like text and label."""
    columns = {column.lower(): column for column in frame.columns}
    second = next((columns[b] for a, b in PAIRS if a in columns and b in columns), None)
    first = next((columns[a] for a, b in PAIRS if a in columns and b in columns), None)
    text = first or next((columns[name] for name in TEXT_NAMES if name in columns), None) or max(frame.columns, key=lambda column: _length(frame[column]))
    different = {column: frame[column].astype(str).nunique() for column in frame.columns if column != text}
    # Labels come again and again; a number that every row has of its own is none.
    few = sorted((column for column, count in different.items() if 1 < count <= min(MOST_DIFFERENT_LABELS, len(frame) / 2)), key=different.__getitem__)
    label = next((columns[name] for name in LABEL_NAMES if name in columns and columns[name] in few), None) or next(iter(few), None)
    return Guess(text, label, second)


def label_values(frame: "pd.DataFrame", column: str) -> list[str]:
    """The different labels of a column, as text, numbers in their order. Empty cells are none.

    Raises:
        DataError: too many for labels, or only one.
    """
    values = sorted(set(_as_text(frame[column])) - {""}, key=lambda value: (not _is_number(value), float(value) if _is_number(value) else 0.0, value))
    if len(values) > MOST_DIFFERENT_LABELS:
        raise DataError("texts.too_many_labels", column=column, count=len(values))
    if len(values) < 2:
        raise DataError("texts.one_label", column=column, value=repr(values[0]) if values else say("texts.empty_cells"))
    return values


def guess_classes(values: Sequence[str], classes: Sequence[str]) -> dict[str, int | None]:
    """For every label the model's class that it seems to mean: the same name, or the same number; None where that is not clear."""
    by_name = {name.lower(): number for number, name in enumerate(classes)}
    numbers = {value: float(value) for value in values if _is_number(value)}
    # Numbers mean classes only if all of them do, counted from 0 or from 1: of one to five stars the 1 is no class of two.
    first = next((start for start in (0, 1) if set(numbers.values()) <= set(range(start, start + len(classes)))), None)
    by_number = {} if first is None or len(numbers) < len(values) else {value: int(number) - first for value, number in numbers.items()}
    return {value: by_name.get(value.strip().lower(), by_number.get(value)) for value in values}


def keep(name: str, frame: "pd.DataFrame", text: str, label: str, classes: Mapping[str, int | None]) -> str:
    """Keeps the rows whose label means a class of the model; gives the data set's name for every call.

    Args:
        classes: for every label its class, or None: rows of that label are left out.

    Raises:
        DataError: no rows remain, or all of one class.
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
    """A column as text; what is missing is empty."""
    return column.astype(object).where(column.notna(), "").astype(str)


def _length(column: "pd.Series") -> float:
    return float(column.head(200).astype(str).str.len().mean())


def _is_number(value: str) -> bool:
    try:
        return float(value) == float(value)  # NaN is none
    except ValueError:
        return False


def _why(error: Exception) -> Message | str:
    """What a reader said, of which the first line is enough; its kind where it said nothing."""
    if error.args and isinstance(error.args[0], Message):
        return error.args[0]
    return next(iter(str(error).splitlines()), type(error).__name__)
