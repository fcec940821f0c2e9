"""People's own tables: every format, what is guessed, what is refused and how."""

import pandas as pd
import pytest

from robustprune import lab
from robustprune.base.errors import DataError
from robustprune.texts import datasets, tables

ROWS = pd.DataFrame({"id": range(10), "comment": [f"a film that is number {i}" for i in range(10)], "stars": [1, 5] * 5})
CLASSES = ("negative", "positive")


def written(kind, frame=ROWS):
    return {
        "csv": lambda: frame.to_csv(index=False).encode(),
        "tsv": lambda: frame.to_csv(index=False, sep="\t").encode(),
        "jsonl": lambda: frame.to_json(orient="records", lines=True).encode(),
        "parquet": frame.to_parquet,
    }[kind]()


@pytest.mark.parametrize("kind", tables.FORMATS)
def test_every_format_is_read_and_becomes_the_same_texts(kind, empty_home):
    frame = tables.read(f"mine.{kind}", written(kind))
    assert tables.guess(frame) == tables.Guess("comment", "stars", None)
    assert tables.label_values(frame, "stars") == ["1", "5"]
    name = tables.keep(f"mine.{kind}", frame, "comment", "stars", {"1": 0, "5": 1})
    texts = datasets.load(name, "calibration")
    assert (texts.texts[:2], texts.labels[:2]) == (("a film that is number 0", "a film that is number 1"), (0, 1))
    assert len(texts) + len(datasets.load(name, "evaluation")) == 10


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.xlsx", b"x", "Save it as one of these"),
        ("a.csv", "text,label\ncafé,1\n".encode("latin-1"), "UTF-8"),
        ("a.csv", b"", "cannot be read as csv"),
        ("a.csv", b"text,label\n", "no rows"),
        ("a.jsonl", b'{"text": ', "cannot be read as jsonl"),
        ("a.parquet", b"PAR1", "cannot be read as parquet"),
        ("a.csv", b'text,label\n"open,1\n', "cannot be read as csv"),
    ],
)
def test_what_cannot_be_read_is_told(name, content, why):
    with pytest.raises(DataError, match=why):
        tables.read(name, content)


@pytest.mark.parametrize(
    ("columns", "text", "label", "second"),
    [
        (["sentence", "label"], "sentence", "label", None),
        (["premise", "hypothesis", "label"], "premise", "label", "hypothesis"),
        (["question", "sentence", "label"], "question", "label", "sentence"),
        (["Review", "Sentiment"], "Review", "Sentiment", None),
        (["a", "b"], "a", "b", None),
    ],
)
def test_columns_are_guessed(columns, text, label, second):
    values = {"label": [0, 1, 0, 1], "Sentiment": ["good", "bad"] * 2, "b": [1, 2, 1, 2]}
    frame = pd.DataFrame({column: values.get(column, [f"a rather long text {i}" for i in range(4)]) for column in columns})
    assert tables.guess(frame) == tables.Guess(text, label, second)


def test_a_table_without_labels_has_none_to_guess():
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(100)], "id": range(100)})
    assert tables.guess(frame).label is None
    with pytest.raises(DataError, match="holds no labels"):
        tables.label_values(frame, "id")
    with pytest.raises(DataError, match="holds only"):
        tables.label_values(frame.assign(one=1), "one")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["0", "1"], [0, 1]),
        (["1", "2"], [0, 1]),
        (["0.0", "1.0"], [0, 1]),
        (["1", "5"], [None, None]),
        (["1", "2", "3"], [None, None, None]),
        (["Positive", " negative "], [1, 0]),
        (["neg", "positive"], [None, 1]),
        (["-1", "1"], [None, None]),
    ],
)
def test_classes_are_guessed_only_where_they_are_clear(values, expected):
    assert list(tables.guess_classes(values, CLASSES).values()) == expected


def test_labels_that_mean_no_class_and_empty_texts_are_left_out(empty_home):
    frame = pd.DataFrame({"text": ["good", "bad", "  ", "so\tso\nfilm", "x", "y", "z"], "label": ["p", "n", "p", "m", "p", "n", "p"]})
    name = tables.keep("mine.csv", frame, "text", "label", {"p": 1, "n": 0, "m": None})
    parts = [datasets.load(name, role) for role in ("calibration", "evaluation")]
    assert sorted(text for part in parts for text in part.texts) == ["bad", "good", "x", "y", "z"]
    with pytest.raises(DataError, match="Map at least two labels"):
        tables.keep("mine.csv", frame, "text", "label", {"p": 1, "n": None, "m": None})


def test_texts_with_tabs_and_quotes_come_back_whole(empty_home):
    texts = ['he said "no"', "one\ttwo", "a, b", "plain", "x", "y"]
    frame = pd.DataFrame({"text": texts, "label": [0, 1] * 3})
    name = tables.keep("mine.jsonl", frame, "text", "label", {"0": 0, "1": 1})
    found = [text for role in ("calibration", "evaluation") for text in datasets.load(name, role).texts]
    assert sorted(found) == sorted(text.replace("\t", " ") for text in texts)


def test_what_was_brought_is_offered_to_models_with_its_classes_only(empty_home):
    own = lab.bring_data("sst2-demo", "mine.csv", ROWS, "comment", "stars", {"1": 0, "5": 1})
    assert lab.own_datasets("sst2-demo") == [own]
    assert own.shown == "mine.csv"
    assert lab.own_datasets("ag_news-demo") == []
    assert lab.largest_class(own.name) == 0.5


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_rows_with_a_missing_text_or_label_are_left_out(missing, empty_home):
    frame = pd.DataFrame({"text": ["good", missing, "bad", "fine", "dull"], "label": [1, 0, missing, 1, 0]})
    assert len(tables.label_values(frame, "label")) == 2
    values = tables.label_values(frame, "label")
    name = tables.keep("mine.parquet", frame, "text", "label", dict(zip(values, (0, 1), strict=True)))
    kept = pd.read_csv(name, sep="\t")
    assert list(kept["text"]) == ["good", "fine", "dull"]


def test_missing_labels_beside_names_are_no_label(empty_home):
    frame = pd.DataFrame({"text": ["good", "bad", "odd"], "label": ["pos", "neg", None]})
    assert tables.label_values(frame, "label") == ["neg", "pos"]
    assert tables.guess_classes(tables.label_values(frame, "label"), ["neg", "pos"]) == {"neg": 0, "pos": 1}


NOT_ON_THE_HUB = ["{here}", "mine/texts", "./mine/texts", "../texts", "~/texts", "text", "csv", "a/b/c", "https://host/a", "hf://datasets/a", "a b/c", ""]


@pytest.mark.parametrize("name", NOT_ON_THE_HUB)
def test_what_is_no_name_on_the_hub_is_not_looked_for_on_this_machine(tmp_path, monkeypatch, name):
    """The library takes a folder for a data set, wherever it lies; in the app that would show what nobody there may read."""
    here = tmp_path / "mine" / "texts"
    here.mkdir(parents=True)
    (here / "train.csv").write_text("text,label\na secret,1\nanother,0\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="not a data set on the hub"):
        tables.read_hub(name.format(here=here))
