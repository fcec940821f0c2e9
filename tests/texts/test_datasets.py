"""Texts: where they come from, and what is said about those that cannot be read."""

import pytest

from robustprune.base.errors import DataError
from robustprune.texts import datasets

HEADER = "text\tlabel\n"


@pytest.fixture
def file(tmp_path):
    def write(content, name="texts.tsv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content.encode(encoding))
        return str(path)

    return write


def rows(count):
    return HEADER + "".join(f"sentence number {i}\t{i % 2}\n" for i in range(count))


@pytest.mark.parametrize(
    ("name", "classes", "calibration", "evaluation"),
    [("demo-reviews", 2, 320, 184), ("demo-news", 4, 320, 184)],
)
def test_demo_texts_are_many_balanced_varied_and_apart(name, classes, calibration, evaluation):
    parts = {role: datasets.load(name, role) for role in ("calibration", "evaluation", "showcase")}
    assert (len(parts["calibration"]), len(parts["evaluation"])) == (calibration, evaluation)
    texts = [text for part in parts.values() for text in part.texts]
    assert len(texts) >= 480
    assert len(set(texts)) == len(texts)
    for part in parts.values():
        assert {part.labels.count(label) for label in range(classes)} == {len(part) // classes}
    lengths = [len(text.split()) for text in texts]
    assert min(lengths) >= 5
    assert max(lengths) <= 45
    assert sum(length < 13 for length in lengths) > 100 < sum(length > 24 for length in lengths)


@pytest.mark.parametrize("name", datasets.BUILT_IN)
def test_demo_texts_hold_no_near_copies(name):
    texts = [text for role in ("calibration", "evaluation", "showcase") for text in datasets.load(name, role).texts]
    shingles = [{tuple(words[i : i + 3]) for i in range(len(words) - 2)} for words in (text.lower().split() for text in texts)]
    for i, mine in enumerate(shingles):
        for other in shingles[:i]:
            assert len(mine & other) < 0.5 * min(len(mine), len(other)), texts[i]


def test_a_sample_depends_on_the_seed_alone():
    texts = datasets.load("demo-reviews", "calibration")
    assert texts.sample(50, 1) == texts.sample(50, 1) != texts.sample(50, 2)
    assert len(texts.sample(10_000, 0)) == len(texts)


def test_a_single_file_serves_both_roles_apart(file):
    path = file(rows(50))
    calibration, evaluation = datasets.load(path, "calibration"), datasets.load(path, "evaluation")
    assert (len(calibration), len(evaluation)) == (40, 10)
    assert not set(calibration.texts) & set(evaluation.texts)


def test_quotes_tabs_and_newlines_survive(file):
    path = file(HEADER + '"a ""quoted"" text\twith a tab\nand a line"\t1\n' + rows(10).removeprefix(HEADER))
    assert datasets.load(path, "calibration").texts[0] == 'a "quoted" text\twith a tab\nand a line'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("sentence\tlabel\nx\t1\n", "no column 'text'"),
        ("text\tclass\nx\t1\n", "no column 'label'"),
        ("", "no column 'text'"),
        (HEADER, "no rows"),
        (HEADER + "good\tpositive\n", "line 2: the label 'positive'"),
        (HEADER + "good\t\n", "line 2: the label ''"),
        (HEADER + "good\n", "line 2: the label None"),
        (HEADER + "  \t1\n", "line 2: the text is empty"),
        (HEADER + "one\t1\n", "at least 5"),
    ],
)
def test_an_unreadable_file_says_why(file, content, why):
    with pytest.raises(DataError, match=why):
        datasets.load(file(content), "evaluation")


def test_another_encoding_is_refused_with_a_hint(file):
    with pytest.raises(DataError, match="Save it as UTF-8"):
        datasets.load(file(HEADER + "caf\u00e9\t1\n", encoding="latin-1"), "calibration")


@pytest.mark.parametrize("name", ["nowhere", "nowhere.tsv", "some/hub-id", "sst2"])
def test_a_data_set_that_is_not_there_says_what_would_be(name):
    with pytest.raises(DataError, match=r"demo-reviews|no file"):
        datasets.load(name, "calibration")


def test_labels_that_the_model_lacks_are_named():
    with pytest.raises(DataError, match=r"label 2, but the model knows only: 0 negative, 1 positive"):
        datasets.load("demo-news", "calibration").check_labels(("negative", "positive"))


def test_the_default_is_the_models_own_set_or_its_demo_texts(tmp_path, monkeypatch):
    assert datasets.default_for("sst2") == "demo-reviews"
    (tmp_path / "sst2").mkdir()
    monkeypatch.setenv("ROBUSTPRUNE_DATA_DIR", str(tmp_path))
    assert datasets.default_for("sst2") == "sst2"
    with pytest.raises(DataError, match="names no data set"):
        datasets.default_for(None)


def test_a_folder_here_is_never_taken_for_a_data_set_on_the_hub(tmp_path, monkeypatch):
    (tmp_path / "stanfordnlp" / "sst2").mkdir(parents=True)
    (tmp_path / "stanfordnlp" / "sst2" / "train.csv").write_text("text,label\na secret,1\nanother,0\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="not a data set on the hub"):
        datasets.load("sst2", "calibration")
