"""Loads data sets: the demo texts that ship with the project, a local folder or file, or a data set on the Hugging Face hub.

The texts of a data set have two roles. *Calibration* texts come from the training split. *Evaluation* texts come from the validation split,
or from the test split if there is no validation split. The demo texts have a third role, *showcase*. Which rows are drawn depends only on
the seed.
"""

import csv
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from robustprune.base import hashing, paths
from robustprune.base.errors import DataError
from robustprune.base.messages import Message, say

if TYPE_CHECKING:
    import datasets

Role = Literal["calibration", "evaluation", "showcase"]

SPLITS: dict[Role, tuple[str, ...]] = {
    "calibration": ("train", "calibration"),
    "evaluation": ("validation", "test", "evaluation"),
    "showcase": ("showcase",),
}
BUILT_IN = ("demo-reviews", "demo-news")
DEMO_OF = {"sst2": "demo-reviews", "ag_news": "demo-news"}
HUB_IDS = {"sst2": "stanfordnlp/sst2", "ag_news": "fancyzhx/ag_news", "imdb": "stanfordnlp/imdb"}
# An id of the form user/name. With any other name the ``datasets`` library would look for files on this machine.
HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
KNOWN = (*HUB_IDS, "movie_reviews")
TEXT_COLUMNS = ("text", "sentence", "content", "review")
DELIMITERS = {".tsv": "\t", ".csv": ","}
EVERY_FIFTH = 5
# The names of the two parts of a single file. Stored results contain the English names.
FIFTH, REST = say("texts.every_fifth_row"), say("texts.four_of_five_rows")


@dataclass(frozen=True)
class Texts:
    """Texts with integer labels, and their origin.

    Attributes:
        dataset: the name by which the data set was requested.
        source: the kind of origin: ``built in``, ``local folder``, ``file`` or ``hub``.
        split: the name of the split.
        texts: the texts.
        labels: one label per text.
    """

    dataset: str
    source: str
    split: str
    texts: tuple[str, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the texts and labels, in their order."""
        return hashing.of_json([self.texts, self.labels])

    def sample(self, count: int, seed: int) -> "Texts":
        """Draws ``count`` texts with ``seed`` and returns them in the drawn order. If there are fewer texts, all of them are drawn."""
        order = random.Random(seed).sample(range(len(self)), min(count, len(self)))
        return self.take(order)

    def take(self, rows: Iterable[int]) -> "Texts":
        """The texts at the given rows, in the given order."""
        rows = list(rows)
        texts, labels = tuple(self.texts[i] for i in rows), tuple(self.labels[i] for i in rows)
        return Texts(self.dataset, self.source, self.split, texts, labels)

    def check_labels(self, names: Sequence[str]) -> None:
        """Raises DataError if a label is not the index of one of these class names."""
        wrong = sorted({label for label in self.labels if not 0 <= label < len(names)})
        if wrong:
            allowed = ", ".join(f"{i} {name}" for i, name in enumerate(names))
            raise DataError("texts.label_not_known", dataset=self.dataset, label=wrong[0], allowed=allowed)


def default_for(trained_on: str | None) -> str:
    """The data set that is used when the user names none: the one on the model's card if it is on this machine, else its demo texts.

    This function never accesses the hub. The hub is only used for a data set that the user named.

    Raises:
        DataError: the data set on the model's card is not on this machine, and no demo texts fit it.
    """
    if trained_on and (trained_on in BUILT_IN or _local_folder(trained_on) or Path(trained_on).exists()):
        return trained_on
    demo = demo_for(trained_on)
    if demo is None:
        raise DataError("texts.no_dataset_here", allowed=_allowed())
    return demo


def on_this_machine(trained_on: str | None) -> list[str]:
    """The data sets that fit the data set on a model's card and need no download. The default comes first."""
    found = [trained_on] if trained_on and _local_folder(trained_on) else []
    return [*found, *([demo] if (demo := demo_for(trained_on)) else [])]


def demo_for(dataset: str | None) -> str | None:
    """The name of the demo texts that fit a model trained on that data set, or None."""
    return dataset if dataset in BUILT_IN else DEMO_OF.get(dataset)


def split_message(name: str) -> Message | str:
    """The message whose English text is this name of a split, or the name itself if there is no such message."""
    return next((one for one in (FIFTH, REST) if str(one) == name), name)


def load(name: str, role: Role) -> Texts:
    """Loads the texts of a data set for one role.

    Args:
        name: a built-in name, a known name, a folder, a file, or a hub id, tried in this order.
        role: the role of the texts.

    Raises:
        DataError: there is no data set of that name, it has no texts for the role, or it cannot be read.
    """
    if name in BUILT_IN:
        return _from_folder(name, paths.ASSETS / "texts" / name, role, "built in")
    folder = _local_folder(name)
    if folder:
        return _from_folder(name, folder, role, "local folder")
    path = Path(name).expanduser()
    if path.is_dir():
        return _from_folder(name, path, role, "local folder")
    if path.is_file():
        return _from_single_file(name, path, role)
    if path.suffix.lower() in DELIMITERS:
        raise DataError("texts.no_file", name=name)
    if name in HUB_IDS or HUB_ID.fullmatch(name):
        return _from_hub(name, role)
    raise DataError("texts.no_such_dataset", name=name, allowed=_allowed())


def _allowed() -> Message:
    return say("texts.allowed", known=(*BUILT_IN, *KNOWN))


def _local_folder(name: str) -> Path | None:
    root = paths.data_dir()
    if root is None or name not in KNOWN:
        return None
    return root / name if (root / name).is_dir() else None


def _from_folder(name: str, folder: Path, role: Role, source: str) -> Texts:
    for split in SPLITS[role]:
        for suffix in DELIMITERS:
            path = folder / f"{split}{suffix}"
            if path.is_file():
                return Texts(name, source, split, *_read(path))
    wanted = " or ".join(f"{split}.tsv" for split in SPLITS[role])
    raise DataError("texts.no_texts_of_role", name=name, role=role, folder=folder, wanted=wanted)


def _from_single_file(name: str, path: Path, role: Role) -> Texts:
    """Loads texts from a single file, which has no splits. Every fifth row is for evaluation; the other rows are for calibration."""
    whole = Texts(name, "file", "file", *_read(path))
    held_out = role != "calibration"
    rows = [i for i in range(len(whole)) if (i % EVERY_FIFTH == EVERY_FIFTH - 1) == held_out]
    if not rows:
        raise DataError("texts.too_few_rows", name=name, rows=len(whole), needed=EVERY_FIFTH)
    part = whole.take(rows)
    return Texts(name, "file", str(FIFTH if held_out else REST), part.texts, part.labels)


def _read(path: Path) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The texts and labels in a file. The result is cached until the file changes."""
    stat = path.stat()
    return _read_file(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=16)
def _read_file(path: Path, size: int, changed: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    delimiter = DELIMITERS.get(path.suffix.lower())
    if delimiter is None:
        raise DataError("texts.no_tsv_or_csv", file=path.name)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = list(_rows(path.name, csv.DictReader(file, delimiter=delimiter)))
    except UnicodeDecodeError as error:
        raise DataError("texts.not_utf8", name=path.name, byte=error.start) from error
    except csv.Error as error:
        raise DataError("texts.no_table", name=path.name, why=error) from error
    except OSError as error:
        raise DataError("texts.cannot_be_read", path=path, why=error.strerror) from error
    if not rows:
        raise DataError("texts.no_rows_or_header", name=path.name)
    texts, labels = zip(*rows, strict=True)
    return texts, labels


def _rows(name: str, reader: csv.DictReader) -> Iterator[tuple[str, int]]:
    columns = reader.fieldnames or []
    missing = [column for column in ("text", "label") if column not in columns]
    if missing:
        raise DataError("texts.no_column", name=name, column=missing[0], columns=list(columns) or say("texts.none"))
    for row in reader:
        text, label = row["text"], row["label"]
        if not text or not text.strip():
            raise DataError("texts.text_empty_at", name=name, line=reader.line_num)
        try:
            yield text, int(label)
        except (TypeError, ValueError):
            raise DataError("texts.label_no_number_at", name=name, line=reader.line_num, label=label) from None


def on_the_hub(hub_id: str) -> "datasets.DatasetDict":
    """Loads all splits of a data set on the hub.

    A local folder of that name is rejected, because the ``datasets`` library would read the folder instead.

    Raises:
        DataError: the name is not a valid hub id, or is a path on this machine.
        Exception: the ``datasets`` library raises many kinds of error. Each means that the data set is not available.
    """
    import datasets

    if not HUB_ID.fullmatch(hub_id) or Path(hub_id).exists():
        raise DataError("texts.no_hub_id", hub_id=hub_id)
    return datasets.load_dataset(hub_id, download_config=datasets.DownloadConfig(max_retries=0))


@lru_cache(maxsize=8)
def _from_hub(name: str, role: Role) -> Texts:
    hub_id = HUB_IDS.get(name, name)
    try:
        parts = on_the_hub(hub_id)
    except DataError:
        raise
    except Exception as error:  # the library raises many kinds, most often when offline; each means that the data set is not available
        raise DataError("texts.not_on_hub", name=name, hub_id=hub_id, kind=type(error).__name__, demos=" or ".join(BUILT_IN)) from error
    # The test splits of GLUE have no labels (-1), so the validation split comes first.
    split = next((split for split in SPLITS[role] if split in parts), None)
    if split is None:
        raise DataError("texts.no_split", hub_id=hub_id, role=role, allowed=parts)
    part = parts[split]
    column = next((column for column in TEXT_COLUMNS if column in part.column_names), None)
    if column is None or "label" not in part.column_names:
        raise DataError("texts.hub_columns", hub_id=hub_id, columns=part.column_names, allowed=TEXT_COLUMNS)
    try:
        labels = tuple(int(label) for label in part["label"])
    except (TypeError, ValueError):
        raise DataError("texts.hub_labels", hub_id=hub_id) from None
    return Texts(name, "hub", split, tuple(part[column]), labels)
