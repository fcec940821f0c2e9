"""Bringing one's own texts and models: what is taken, what is refused, and what the page says about it."""

import shutil

import pandas as pd
import pytest

from robustprune import lab
from robustprune.specs.prune import PruneSpec
from robustprune.texts import datasets
from robustprune.ui.frame import shell
from tests.pages.opening import open_page, press, wait_until


def bring(content, name="mine.csv"):
    """The page with a file on it."""
    app = open_page("bring")
    app.file_uploader(key="bring_file").upload(name, content.encode() if isinstance(content, str) else content, "text/csv").run()
    return app


def table(labels):
    """A file of the demo reviews with labels of one's own: ``labels`` gives them for a text's number and class."""
    demo = datasets.load("demo-reviews", "evaluation")
    rows = enumerate(zip(demo.texts, demo.labels, strict=True))
    return "review,verdict\n" + "".join(f'"{text}",{labels(number, label)}\n' for number, (text, label) in rows)


def buttons(app):
    return [button.label for button in app.button]


# Texts


def test_a_table_is_taken_with_its_labels_mapped_and_can_be_chosen(empty_home):
    app = bring(table(lambda number, label: ("bad", "good")[label]))
    assert next(box for box in app.selectbox if box.label == "Column with the text").value == "review"
    assert next(box for box in app.selectbox if box.label == "Column with the label").value == "verdict"
    for label, chosen in (("bad", "0"), ("good", "1")):
        next(box for box in app.selectbox if box.label == label).set_value(chosen).run()
    press(app, "Check the texts on the model")
    wait_until(app, lambda: app.success or app.warning or app.error)
    assert "Taken" in app.success[0].value
    press(app, "Use them")
    assert not app.exception
    assert app.selectbox(key="dataset").value == lab.own_datasets(shell.DEFAULT_MODEL)[0].name


def test_labels_the_wrong_way_round_are_told_by_their_accuracy(empty_home):
    app = bring(table(lambda number, label: ("positive", "negative")[label]))
    press(app, "Check the texts on the model")
    wait_until(app, lambda: app.success or app.warning or app.error)
    assert "no more than always guessing" in app.warning[0].value


def test_too_few_texts_to_tell_say_so(empty_home):
    app = bring("text,label\n" + "".join(f"{text},{label}\n" for text, label in [("A fine film.", "positive"), ("A dull film.", "negative")] * 5))
    press(app, "Check the texts on the model")
    wait_until(app, lambda: app.success or app.warning or app.error)
    assert "too few" in app.warning[0].value


def test_another_table_of_the_same_name_is_checked_anew(empty_home):
    right, wrong = ("negative", "positive"), ("positive", "negative")
    app = bring(table(lambda number, label: right[label]))
    press(app, "Check the texts on the model")
    wait_until(app, lambda: app.success)
    app.file_uploader(key="bring_file").upload("mine.csv", table(lambda number, label: wrong[label]).encode(), "text/csv").run()
    assert not app.success
    press(app, "Check the texts on the model")
    wait_until(app, lambda: app.warning)
    assert "no more than always guessing" in app.warning[0].value


def test_two_data_sets_of_one_name_are_told_apart(empty_home):
    for number in (3, 4):
        app = bring(table(lambda at, label, number=number: "mixed" if at % number == 0 else ("negative", "positive")[label]))
        press(app, "Check the texts on the model")
        wait_until(app, lambda app=app: app.success)
    names = [own.name for own in lab.own_datasets(shell.DEFAULT_MODEL)]
    for name in names:
        app.selectbox(key="dataset").set_value(name).run()
        app.run()
        assert app.selectbox(key="dataset").value == name
    assert len(set(app.selectbox(key="dataset").options)) == len(app.selectbox(key="dataset").options)


def test_pairs_of_sentences_are_refused_with_a_hint(empty_home):
    app = bring("premise,hypothesis,label\na man sleeps,a man is awake,0\na dog runs,an animal moves,1\n")
    assert "pairs of sentences" in app.error[0].value
    assert "Join both into one column" in app.error[0].value
    assert "Check the texts on the model" not in buttons(app)
    app.toggle[0].set_value(True).run()
    assert "Check the texts on the model" in buttons(app)


def test_texts_without_labels_are_refused_with_a_reason(empty_home):
    app = bring("review\na fine film\na bad film\n")
    assert "A label is needed" in app.error[0].value
    assert "Check the texts on the model" not in buttons(app)


def test_more_labels_than_classes_are_mapped_or_left_out(empty_home):
    app = bring(table(lambda number, label: ("negative", "positive", "mixed")[2 if number % 5 == 0 else label]))
    assert "3 labels, the model 2 classes" in app.info[0].value
    mixed = next(box for box in app.selectbox if box.label == "mixed")
    assert mixed.value == "-"
    press(app, "Check the texts on the model")
    wait_until(app, lambda: app.success or app.warning or app.error)
    assert not app.error


def test_a_column_of_numbers_without_end_is_no_label(empty_home):
    app = bring("review,score\n" + "".join(f"film number {number},{number / 7:.4f}\n" for number in range(80)))
    assert not app.exception
    assert app.error


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("mine.csv", b"\xff\xfe\x00", "UTF-8"),
        ("mine.csv", b"", "cannot be read"),
        ("mine.csv", b"text,label\n", "no rows"),
        ("mine.jsonl", b"{not json", "cannot be read"),
        ("mine.parquet", b"nonsense", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(name, content, why, empty_home):
    app = open_page("bring")
    app.file_uploader(key="bring_file").upload(name, content, "application/octet-stream").run()
    assert not app.exception
    assert why in app.error[0].value.replace("\\", "")


def test_what_stands_in_a_table_is_shown_as_it_is(empty_home):
    app = bring(table(lambda number, label: ("**bad** <b>", "![x](http://host/p.png)")[label]))
    assert not app.exception
    assert "\\*\\*bad\\*\\* \\<b\\>" in [box.label for box in app.selectbox]


def test_a_hub_id_without_a_network_says_so(empty_home):
    app = open_page("bring")
    app.text_input(key="bring_hub").set_value("nobody/nothing").run()
    press(app, "Fetch")
    wait_until(app, lambda: app.error)
    assert "nobody/nothing" in app.error[0].value.replace("\\", "")


# Models


def test_a_model_that_is_none_is_refused_with_a_reason(empty_home, tmp_path):
    app = open_page("bring")
    app.text_input(key="bring_model").set_value(str(tmp_path)).run()
    press(app, "Check the model")
    wait_until(app, lambda: app.error)
    assert "config.json" in app.error[0].value.replace("\\", "")


def test_a_model_of_ones_own_can_be_chosen_everywhere(small_run):
    app = open_page("bring")
    app.text_input(key="bring_model").set_value(str(small_run.model_dir)).run()
    press(app, "Check the model")
    wait_until(app, lambda: app.success)
    press(app, "Use it")
    assert app.selectbox(key="model").value == str(small_run.model_dir)
    for page in ("overview", "prune", "layers", "attention", "attack", "compare", "dense"):
        app = open_page(page, model=str(small_run.model_dir))
        assert not app.exception, page
        assert not app.error, page


def test_a_model_of_unknown_origin_is_compared_on_the_texts_that_are_chosen(small_run, tmp_path):
    folder = tmp_path / "own-model"
    shutil.copytree(small_run.model_dir, folder)
    (folder / "robustprune.json").unlink()  # nothing tells what it was trained on
    lab.bring_model(str(folder))
    demo = datasets.load("demo-reviews", "evaluation")
    frame = pd.DataFrame({"text": demo.texts, "label": demo.labels})
    own = lab.bring_data(str(folder), "mine.csv", frame, "text", "label", {"0": 0, "1": 1})
    app = open_page("overview", model=str(folder))
    assert not app.exception
    app = open_page("compare", model=str(folder), dataset=own.name, show="runs")
    assert not app.exception
    assert not app.error
    lab.prune(PruneSpec(str(folder), own.name, "magnitude", "none", 0.95, calibration=512))
    for show in ("sparsity", "runs", "calibration", "embeddings", "tables", "paper"):
        app = open_page("compare", model=str(folder), dataset=own.name, show=show)
        assert not app.exception, show
        assert not app.error, show
        if show == "sparsity":
            assert app.get("plotly_chart")
        if show == "runs":
            assert any("Attack what was not attacked yet: 2 model(s)" in button.label for button in app.button)
