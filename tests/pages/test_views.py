"""What the pages show beyond their first sight: close-ups, views, replays, comparisons, and what people bring along."""

import base64
import json
from types import SimpleNamespace

import numpy as np
import pytest

from robustprune import lab, studies
from robustprune.analysis.attention import PAPER_SENTENCE, AttentionMaps
from robustprune.analysis.embeddings import PAPER_ADVERSARIAL, PAPER_ORIGINAL
from robustprune.attacks.traces.replay_frames import frames
from robustprune.base import stores
from robustprune.base.errors import ModelError
from robustprune.studies import claims
from robustprune.ui.attack import examples
from robustprune.ui.frame import shell
from robustprune.ui.words import wording
from tests.pages.opening import open_page, press, wait_until, words


def shipped_run(sparsity=0.5, method="admm"):
    runs = [run for run in lab.shipped_runs(shell.DEFAULT_MODEL) if shell.is_usual(run)]
    return next(run for run in runs if (run.spec.method, run.spec.sparsity) == (method, sparsity))


# The runs that are chosen


def test_up_to_four_runs_stand_side_by_side(empty_home):
    runs = [shipped_run(), shipped_run(method="magnitude")]
    app = open_page("layers", runs=",".join(run.digest for run in runs))
    assert not app.exception
    assert [one.value for one in app.subheader][:2] == [shell.run_name(run) for run in runs]
    assert app.multiselect(key="runs").proto.max_selections == 4


def test_a_link_with_runs_that_are_not_there_falls_back(empty_home):
    app = open_page("layers", runs="0000,../..,%00")
    assert not app.exception
    assert app.multiselect(key="runs").value == [shell.chosen_run().digest] if shell.chosen_run() else True
    assert app.subheader[0].value == shell.run_name(shipped_run())


def test_what_is_chosen_stays_when_the_page_changes(empty_home):
    chosen = [shipped_run(0.875).digest, shipped_run().digest]
    app = open_page("layers")
    app.multiselect(key="runs").set_value(chosen).run()
    app.switch_page("pages/attention.py").run()
    assert app.multiselect(key="runs").value == chosen
    assert app.query_params["runs"] in (",".join(chosen), [",".join(chosen)])


def test_single_model_and_soup_of_one_data_set_are_a_click_apart(empty_home):
    app = open_page("layers", model="ag_news-demo")
    assert app.segmented_control(key="start").value == "single"
    app.segmented_control(key="start").set_value("soup").run()
    assert app.selectbox(key="model").value == "ag_news-soup"
    assert shell.run_name(next(run for run in lab.shipped_runs("ag_news-soup") if run.digest in app.multiselect(key="runs").value)) == app.subheader[0].value


def test_a_model_of_ones_own_has_no_soup(small_run):
    lab.bring_model(str(small_run.model_dir))
    app = open_page("overview", model=str(small_run.model_dir))
    assert app.selectbox(key="model").value == str(small_run.model_dir)
    assert "start" not in [one.key for one in app.segmented_control]


# Overview


def test_the_overview_shows_a_sentence_that_flips_the_sparse_model_and_how_many_do(empty_home):
    app = open_page("overview")
    pairs = examples.attacked_demos(shipped_run())
    assert pairs[examples.most_telling(pairs)][1].outcome == "flipped"
    flipped = [sum(pair[place].outcome == "flipped" for pair in pairs.values()) for place in (0, 1)]
    assert f"of {len(pairs)} demo texts the attack flips {flipped[0]} on the dense model and {flipped[1]} on the sparse one" in words(app)


@pytest.mark.parametrize(
    ("pairs", "number"),
    [
        ([("held", "held"), ("flipped", "held"), ("held", "flipped"), ("held", "flipped")], 3),
        ([("held", "held"), ("flipped", "flipped"), ("flipped", "held")], 3),
        ([("held", "held"), ("flipped", "flipped")], 2),
        ([("skipped", "held"), ("held", "held")], 1),
        ([], None),
    ],
)
def test_the_most_telling_text_is_one_that_only_pruning_breaks(pairs, number):
    made = {place: tuple(attacked(outcome) for outcome in pair) for place, pair in enumerate(pairs, 1)}
    assert examples.most_telling(made) == number


def test_of_several_telling_texts_it_is_the_one_whose_label_falls_most():
    falls = {1: 0.1, 2: 0.6, 3: 0.3}
    assert examples.most_telling({number: (attacked("held", 0.9), attacked("flipped", fall)) for number, fall in falls.items()}) == 2


def attacked(outcome, fall=0.5):
    return SimpleNamespace(outcome=outcome, label=1, probabilities={"original": (0.0, 1.0), "perturbed": (fall, 1.0 - fall)})


# Layers


def test_a_layer_of_the_link_is_opened_close_up(small_run):
    app = open_page("layers", runs=small_run.digest, layer="block.2.intermediate.dense")
    assert "Close up: block.2.intermediate.dense" in [one.value for one in app.subheader]
    charts = len(app.get("plotly_chart"))
    press(app, "Look into the layers")
    wait_until(app, lambda: len(app.get("plotly_chart")) > charts)
    assert len(app.get("plotly_chart")) == charts + 3
    assert "90.00% zeros" in words(app)


def test_looking_into_layers_can_fail_and_says_why(small_run, monkeypatch):
    def fail(*_arguments):
        raise ModelError("base.verbatim", text="The weights are gone.")

    monkeypatch.setattr(lab, "layer_views", fail)
    app = open_page("layers", runs=small_run.digest)
    press(app, "Look into the layers")
    wait_until(app, lambda: app.error)
    assert "gone" in app.error[0].value


# Attention


def put_attention(model, text):
    """Maps of a model for a text, made up, as if they were computed."""
    from robustprune.lab.looks import ATTENTIONS, _attention_key

    values = np.random.default_rng(len(model)).dirichlet(np.ones(7), size=(6, 12, 7)).astype("float32")
    document, content = AttentionMaps(("[CLS]", "a", "b", "c", "d", "e", "[SEP]"), values).to_entry()
    stores.store().put(ATTENTIONS, _attention_key(model, text), document, lambda folder: (folder / "attention.safetensors").write_bytes(content))


@pytest.mark.parametrize("view", ["maps", "twins", "lines", "grid_of_lines"])
def test_every_view_of_attention_shows_what_is_known(view, empty_home):
    from robustprune.analysis.attention import PAPER_ORIGINAL

    for text in (PAPER_SENTENCE, PAPER_ORIGINAL):
        for model in (shell.DEFAULT_MODEL, shipped_run().ref, *lab.shipped_baselines("sst2")):
            put_attention(model, text)
    app = open_page("attention", view=view, block="2", head="3")
    assert not app.exception
    assert not app.error
    assert not app.info
    assert app.get("iframe") if "lines" in view else app.get("plotly_chart")


def test_twins_ask_for_the_original_of_a_sentence_of_ones_own(empty_home):
    app = open_page("attention", view="twins", text="a sentence of my own")
    assert "Type the sentence" in app.info[0].value
    assert not app.exception


def test_the_papers_figure_is_a_click_away(empty_home):
    app = open_page("attention", text="a sentence of my own", head="3", view="twins")
    press(app, "The paper's Figure 2, first block")
    assert not app.exception
    assert app.text_input(key="text").value == PAPER_SENTENCE
    assert (app.segmented_control(key="view").value, app.segmented_control(key="block").value, app.selectbox(key="head").value) == ("maps", "1", "mean")
    assert len(app.get("plotly_chart")) == 5  # three models, a difference, all heads


# Attack


@pytest.fixture
def replayed(empty_home):
    """The stored attacks, on the dense and on the sparse model, that the page opens with."""
    pairs = examples.attacked_demos(shipped_run())
    return pairs[examples.most_telling(pairs)]


@pytest.mark.parametrize("which", ["dense", "sparse"])
def test_the_replay_tells_every_moment(which, replayed):
    trace = replayed[0 if which == "dense" else 1]
    film = frames(trace)
    app = open_page("attack", victim=which, step="0")
    assert "The original" in words(app)
    for step in range(1, len(film)):
        app.slider(key="step").set_value(step).run()
        assert not app.exception
        assert {"rank": "ranked", "candidates": "replacements", "swap": "Taken", "end": "queries"}[film[step].kind] in words(app)
    app.button(key="replay-first").click().run()
    assert app.slider(key="step").value == 0
    app.button(key="replay-last").click().run()
    assert app.slider(key="step").value == len(film) - 1


@pytest.mark.parametrize("step", ["-3", "900", "x"])
def test_a_moment_that_is_not_there_falls_back(step, replayed):
    app = open_page("attack", step=step)
    assert not app.exception
    assert app.slider(key="step").value in range(len(frames(replayed[1])))


def test_another_text_starts_its_replay_at_a_moment_that_it_has(replayed):
    app = open_page("attack", step=str(len(frames(replayed[1])) - 1))
    for demo in ("2", "3", "4"):
        app.selectbox(key="demo").set_value(demo).run()
        assert not app.exception


def test_ones_own_attempts_are_kept_with_what_both_models_say(small_run):
    app = open_page("attack", runs=small_run.digest)
    for text in ("A dull film.", "A marvellous film."):
        app.text_area[0].set_value(text)
        press(app, "Ask both models")
        wait_until(app, lambda text=text: any(text in frame.value.to_string() for frame in app.dataframe))
    table = next(frame.value for frame in app.dataframe if "Attempt" in frame.value.columns)
    assert list(table["Attempt"]) == ["A marvellous film.", "A dull film."]
    assert "positive" in table["Dense"][0]
    app.text_area[0].set_value("?!")
    press(app, "Ask both models")
    assert "no letters" in app.error[0].value


# Compare


@pytest.mark.parametrize("view", ["tables", "runs", "sparsity", "calibration", "claims", "embeddings", "paper"])
def test_every_comparison_opens_with_what_ships_and_with_nothing(view, empty_home):
    app = open_page("compare", show=view)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("view", ["tables", "runs", "sparsity", "calibration", "claims", "embeddings", "paper"])
def test_every_comparison_says_what_to_do_where_nothing_is(view, nothing_ships):
    app = open_page("compare", show=view)
    assert not app.exception
    assert app.info or view == "paper"


def test_all_runs_are_listed_with_their_scores(empty_home):
    app = open_page("compare", show="runs")
    table, runs = app.dataframe[0].value, {run.digest: run for run in shell.runs_of(shell.DEFAULT_MODEL)}
    assert set(runs) < set(table["Digest"]), "with those of the sweeps that ship as numbers alone"
    assert not (table["Recipe"] == "not attacked yet").any()
    row = table[(table["Digest"] == shipped_run().digest) & (table["Recipe"] == "textfooler")].iloc[0]
    assert row["Accuracy under attack"] == wording.rate(lab.find_scores(shipped_run().ref), "aua")


@pytest.mark.parametrize("view", ["sparsity", "calibration"])
def test_curves_are_drawn_of_any_attack_that_there_are_results_of(view, empty_home):
    app = open_page("compare", show=view, recipe_shown="deepwordbug")
    assert not app.exception
    assert app.button_group(key="recipe_shown").value == "deepwordbug"
    assert any("under deepwordbug" in caption.value for caption in app.caption)
    under_attack = json.loads(app.get("plotly_chart")[1].proto.spec)
    rows = studies.results()
    rows = rows[(rows["start"] == shell.DEFAULT_MODEL) & (rows["recipe"] == "deepwordbug") & (rows["kind"] == "pruned")]
    drawn = {round(y, 6) for line in under_attack["data"] for y in _numbers(line["y"])}
    means = rows.groupby(["method", "adaptive", "sparsity", "calibration"])["aua"].mean()
    assert drawn <= {round(value, 6) for value in means}
    assert len(drawn) > 2


def _numbers(values):
    """A line's values, as Plotly packs them."""
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]) if isinstance(values, dict) else values


def test_the_papers_claims_are_answered_from_our_own_numbers(empty_home):
    app = open_page("compare", show="claims")
    said = [one.value for one in (*app.success, *app.warning)]
    assert len(said) == len(claims.CLAIMS)
    found = studies.answers(studies.results()[studies.results()["start"] == shell.DEFAULT_MODEL])
    for verdict in claims.verdicts(found):
        if verdict.measure == "aua":
            assert any(f"holds in {verdict.holds} of {verdict.asked}" in one for one in said)
            assert len(app.success) == sum(one.yes for one in claims.verdicts(found) if one.measure == "aua")
    assert sum(len(table.value) for table in app.dataframe) == len(found)


def test_embeddings_are_computed_on_demand(small_run):
    app = open_page("compare", show="embeddings", runs=small_run.digest)
    assert "not computed" in app.info[0].value
    press(app, "Compute the embeddings")
    wait_until(app, lambda: app.get("plotly_chart"))
    assert len(app.get("plotly_chart")) == 2
    assert lab.find_embeddings(small_run.ref, [PAPER_ORIGINAL, PAPER_ADVERSARIAL]) is not None


# Attack


def test_a_text_that_is_not_english_is_told_which_attacks_need_none(empty_home):
    app = open_page("attack", text="Ein guter Film mit viel Witz und Charme.", label="1")
    assert not app.exception
    assert "TextFooler swaps English words" in words(app)
    assert "DeepWordBug" in words(app)
    app = open_page("attack", text="Ein guter Film mit viel Witz und Charme.", label="1", recipe="deepwordbug")
    assert "swaps English words" not in words(app)


def test_every_flipped_text_is_put_to_the_reader(empty_home):
    app = open_page("attack")
    pair = examples.attacked_demos(shipped_run())[int(app.selectbox(key="demo").value)]
    flipped = sum(trace.outcome == "flipped" for trace in pair)
    asked = [one for one in app.segmented_control if one.key.startswith("verdict-")]
    assert len(asked) == 2 * flipped > 0
    assert [metric.value for metric in app.metric][-2:] == [f"{flipped} of 2", "0 of 2"]
    for one in asked:
        one.set_value("yes")
    app.run()
    assert [metric.value for metric in app.metric][-2:] == [f"{flipped} of 2", f"{flipped} of 2"]
