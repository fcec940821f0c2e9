"""Training on the command line: train, soup, baseline and compare, and what each refuses."""

import json
import signal
import sys

import pytest

from robustprune import cli, lab
from tests.cli.test_cli import ROOT, run
from tests.models.test_averages import HEAD, train_adapter

QUICK = ("--rank", "2", "--rows", "16", "--batch-size", "8")


pytestmark = pytest.mark.usefixtures("sst2")


def told(*arguments):
    """The one JSON object that a command prints."""
    status, out, err = run(*arguments, "--json")
    assert status == 0, err
    assert out.count("\n") == 1
    return json.loads(out)


@pytest.fixture
def here(monkeypatch, capfd):
    """A command within this process, which is faster: its exit status and the lines on standard output and standard error."""

    def ask(*arguments):
        monkeypatch.setattr(sys, "argv", ["robustprune", *arguments])
        handler = signal.getsignal(signal.SIGINT)
        try:
            status = cli.main()
        except SystemExit as done:
            status = done.code
        finally:
            signal.signal(signal.SIGINT, handler)
        out, err = capfd.readouterr()
        return status, out.splitlines(), err.strip().splitlines()

    return ask


def test_train_two_then_average_them(tmp_path):
    first, second, out = (str(tmp_path / name) for name in ("first", "second", "out"))
    card = told("train", "--dataset", "sst2", "--head", str(HEAD), *QUICK, "--held-out", "8", "--out", first)
    assert (card["model_dir"], card["settings"]["rank"], card["training"]["held_out"]["rows"]) == (first, 2, 8)
    assert json.loads((tmp_path / "first" / "card.json").read_text()) == {key: value for key, value in card.items() if key != "model_dir"}
    assert card["command"].startswith("python -m robustprune train --dataset sst2 --head")
    train_adapter("sst2", tmp_path / "second", seed=1)

    ingredients = ("--ingredient", first, "--ingredient", second)
    soup = told("soup", "--dataset", "sst2", *ingredients, "--examples", "3", "--choose-by", "2", "--recipe", "deepwordbug", "--out", out)
    assert {one["name"] for one in soup["ingredients"]} == {first, second}
    assert all({"name", "accuracy", "aua", "kept"} <= set(one) for one in soup["ingredients"])
    assert (soup["scores"]["examples"], soup["chosen_by"]["examples"], soup["settings"]["recipe"]) == (3, 2, "deepwordbug")
    assert (soup["accuracy"], soup["aua"]) == (lab.evaluate(soup["model"]).accuracy, soup["scores"]["aua"])
    kept = [step["name"] for step in soup["steps"] if step["kept"]]
    assert soup["model"] == (kept[0] if len(kept) == 1 else "mean:" + "+".join(kept))
    assert soup["model_dir"] == out
    evaluated = lab.evaluate(out)
    assert (evaluated.dataset, evaluated.examples) == ("sst2", 12)
    assert evaluated.accuracy == lab.evaluate(soup["model"]).accuracy


def test_a_baseline_is_copied_out_and_then_stands_in_a_table(tmp_path, here):
    out = str(tmp_path / "sparse")
    made = told("baseline", "--dataset", "sst2", "--method", "lth", "--sparsity", "0.3", "--rounds", "1", *QUICK, "--out", out)
    assert (made["model_dir"], made["settings"]["method"], made["settings"]["train"]["rank"]) == (out, "lth", 2)
    assert made["settings"]["sparsity_reached"] == pytest.approx(0.3, abs=1e-4)
    assert made["model"].startswith("baseline:")
    assert json.loads((tmp_path / "sparse" / "card.json").read_text())["name"] == "sparse"

    arguments = ("compare", "--dataset", "sst2", "--model", "sst2-demo", "--other", out, "--method", "magnitude", "--sparsity", "0.3", "--examples", "3")
    table = told(*arguments, "--recipe", "deepwordbug", "--calibration", "16")
    assert [row["name"] for row in table["rows"]] == ["sst2-demo", out, "magnitude"]
    assert (table["sparsity"], table["examples"], table["dataset"]) == (0.3, 3, "sst2")
    assert table["rows"][2]["settings"]["adaptive"] == "none", "magnitude is compared as it was published"
    assert {"acc", "aua", "asr", "aua_low", "aua_high"} <= set(table["rows"][1]["scores"])
    status, lines, _ = here(*arguments, "--recipe", "deepwordbug", "--calibration", "16")
    assert status == 0
    assert [line.split()[0] for line in lines] == ["sst2-demo", out, "magnitude"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["train", "--rank", "1000", "--out", "OUT"], "rank is 1000"),
        (["train", "--rows", "1", "--out", "OUT"], "number of training texts is 1"),
        (["train", "--held-out", "-1", "--out", "OUT"], "number of texts held out is -1"),
        (["train", "--learning-rate", "nan", "--out", "OUT"], "learning rate is nan"),
        (["train", "--optimiser", "magic", "--out", "OUT"], "'magic' is not known"),
        (["train", "--precision", "int1", "--out", "OUT"], "'int1' is not known"),
        (["train", "--freelb", "99", "--out", "OUT"], "adversarial steps is 99"),
        (["train", "--device", "tpu", "--out", "OUT"], "'tpu' is not known"),
        (["train", "--head", str(HEAD), "--model", "sst2-demo", "--out", "OUT"], "not from both"),
        (["soup", "--recipe", "magic"], "'magic' is not known"),
        (["soup", "--seed", "-1"], "seed is -1"),
        (["baseline", "--method", "magic"], "'magic' is not known"),
        (["baseline", "--sparsity", "1"], "sparsity is 1"),
        (["baseline", "--rank", "0"], "at least 1"),
        (["baseline", "--head", str(HEAD), "--model", "sst2-demo"], "not from both"),
        (["compare", "--model", "sst2-demo", "--method", "magic"], "'magic' is not known"),
        (["compare", "--model", "sst2-demo", "--baseline", "magic"], "'magic' is not known"),
        (["compare", "--model", "sst2-demo", "--method", "wanda", "--calibration", "3"], "calibration is 3"),
        (["compare", "--model", "sst2-demo", "--method", "wanda", "--sparsity", "nan"], "sparsity is nan"),
        (["compare", "--model", "sst2-demo", "--other", "ag_news-demo"], "different classes"),
    ],
)
def test_a_wrong_value_is_one_line_and_status_2(arguments, why, here, tmp_path):
    status, out, lines = here(arguments[0], "--dataset", "sst2", *(str(tmp_path / "out") if one == "OUT" else one for one in arguments[1:]))
    assert (status, out, len(lines)) == (2, [], 1), lines
    assert why in lines[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["train", "--dataset", "demo-reviews", "--out", "OUT"], "Name a model to start from"),
        (["train", "--dataset", "nothing.tsv", "--head", str(HEAD), "--out", "OUT"], "no file 'nothing.tsv'"),
        (["train", "--dataset", "demo-news", "--head", str(HEAD), "--out", "OUT"], "label 2"),
        (["train", "--dataset", "sst2", "--head", str(HEAD), "--held-out", "41", "--out", "OUT"], "Hold out fewer"),
        (["train", "--dataset", "sst2", "--head", "nowhere", "--out", "OUT"], "Train a head first"),
        (["train", "--dataset", "sst2", "--head", str(HEAD), "--out", str(ROOT / "tests")], "not empty"),
        (["soup", "--dataset", "nothing.tsv", "--ingredient", "sst2-demo"], "no file 'nothing.tsv'"),
        (["soup", "--dataset", "sst2", "--ingredient", "nobody"], "No model is called 'nobody'"),
        (["soup", "--dataset", "sst2", "--ingredient", "sst2-demo", "--out", str(ROOT / "tests")], "not empty"),
        (["soup", "--dataset", "movie_reviews"], "No ingredients ship for 'movie_reviews'"),
        (["baseline", "--dataset", "demo-reviews"], "Name a --head or a --model"),
        (["compare", "--dataset", "demo-news", "--model", "sst2-demo"], "label 2"),
        (["compare", "--dataset", "sst2", "--model", "baseline:0"], "No baseline '0' is stored"),
        (["compare", "--dataset", "sst2", "--model", "mean:sst2-demo*0"], "positive shares"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line_and_status_1(arguments, why, here, tmp_path):
    status, out, lines = here(*(str(tmp_path / "out") if one == "OUT" else one for one in arguments))
    assert (status, out) == (1, [])
    assert why in lines[-1]
    assert not (tmp_path / "out").exists()


def test_a_missing_option_is_status_2():
    status, out, err = run("train", "--dataset", "sst2")
    assert (status, out) == (2, "")
    assert "--out" in err
