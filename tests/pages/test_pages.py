"""Every page, empty and filled, as Streamlit runs it."""

import io
import re
import shutil
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from robustprune import lab
from robustprune.base import stores
from robustprune.models import sources
from robustprune.specs.prune import PruneSpec
from robustprune.specs.recipes import RECIPES
from robustprune.ui.frame import shell
from robustprune.ui.learn.numbers import find_usual_run
from robustprune.ui.prune import take_away
from robustprune.ui.words import wording
from tests.pages.opening import APP, open_page, wait_until, words


@pytest.mark.parametrize("name", shell.PAGES)
def test_a_page_opens_filled_without_an_exception(name, empty_home):
    app = open_page(name)
    assert not app.exception
    assert not app.error
    assert len(app.title) == 1


@pytest.mark.parametrize("name", [name for name in shell.PAGES if name != "learn"])  # the lessons' own test tells what is missing
def test_a_page_opens_empty_and_says_what_to_do(name, nothing_ships):
    app = open_page(name)
    assert not app.exception
    assert not app.error
    assert app.info
    assert len(app.title) == 1


@pytest.mark.parametrize("name", shell.PAGES)
def test_every_model_that_ships_can_be_chosen(name, empty_home):
    app = open_page(name, model="ag_news-demo")
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("name", shell.PAGES)
def test_a_corrupt_adapter_is_told_and_another_model_can_be_chosen(name, empty_home, monkeypatch, tmp_path):
    shutil.copytree(sources.SHIPPED, tmp_path / "models")
    monkeypatch.setattr(sources, "SHIPPED", tmp_path / "models")
    (tmp_path / "models" / "sst2-demo" / "adapter_model.safetensors").write_bytes(b"damaged")
    app = open_page(name, model="sst2-demo")
    assert not app.exception
    assert any("damaged" in error.value for error in app.error)
    app.selectbox(key="model").set_value("ag_news-demo").run()
    assert not app.exception
    assert not app.error


def test_the_overview_follows_its_slider(empty_home):
    app = open_page("overview")
    before = [metric.value for metric in app.metric]
    app.select_slider(key="shown_sparsity").set_value(0.875).run()
    assert not app.exception
    assert [metric.value for metric in app.metric] != before


def test_the_overview_stays_whole_when_a_shipped_run_was_made_here_too(empty_home):
    before = [metric.value for metric in open_page("overview").metric]
    shipped = stores.store().get("runs", next(run.digest for run in lab.shipped_runs(shell.DEFAULT_MODEL) if run.spec.sparsity == 0.5))
    stores.store().put("runs", shipped.key, shipped.document)
    app = open_page("overview")
    assert not app.exception
    assert [metric.value for metric in app.metric] == before


def test_no_two_runs_have_one_name(empty_home):
    run = find_usual_run(shell.DEFAULT_MODEL, sparsity=0.5)
    document = stores.store().get("runs", run.digest).document
    stores.store().put("runs", "0123456789abcdef", {**document, "spec": {**document["spec"], "seed": 7}})
    app = open_page("attention")
    assert not app.info, "the run that is shown first is the one that ships"
    names = [shell.run_name(one) for one in shell.runs_of(shell.DEFAULT_MODEL)]
    assert len(set(names)) == len(names) > 15


def test_a_text_in_the_link_is_the_text_that_is_attacked(empty_home):
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["text"] = "a lovely film"
    app.run()
    app.switch_page("pages/attack.py").run()
    assert app.text_area(key="text").value == "a lovely film"


@pytest.mark.parametrize("text", ["![x](http://host/p.png)", "**a** _b_ `c` $d$ :material/home: <b>", "a@b.example www.host https://host"])
def test_what_people_wrote_is_not_read_as_markdown(text):
    from markdown_it import MarkdownIt

    shown = MarkdownIt().renderInline(wording.plain(text)).replace("&lt;", "<").replace("&gt;", ">")
    assert shown.replace(wording.JOINER, "") == text
    assert not re.search(r"https?://\w|www\.\w|\w@\w", shown)  # of which the browser would make links


def test_a_shipped_run_is_shown_at_once_and_says_that_it_is_precomputed(empty_home):
    app = open_page("prune")
    assert "Precomputed" in words(app)
    assert any("50.000%" in metric.value for metric in app.metric)
    assert any("weights" in button.label for button in app.button)


def test_a_setting_that_was_never_pruned_offers_to_start(empty_home):
    app = open_page("prune")
    app.slider(key="sparsity").set_value(0.63).run()
    assert "Prune at 63%" in [button.label for button in app.button]
    assert not app.metric


def test_a_pattern_settles_the_sparsity(empty_home):
    app = open_page("prune", pattern="2:4")
    assert not app.exception
    assert app.slider(key="sparsity").disabled
    assert "Prune at 2:4" in [button.label for button in app.button]


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"layer_sparsities": "block.0=lots"}, "sparsity of block.0 is 'lots'"),
        ({"layer_sparsities": "block.0=150%"}, "sparsity of block.0 is 1.5"),
        ({"method": "obs", "scope": "layer"}, "'obs' has no scope 'layer'"),
        ({"allocation": "error", "layer_sparsities": "block.0=0.2"}, "exclude each other"),
    ],
)
def test_what_does_not_go_together_is_told_in_a_sentence(parameters, why, empty_home):
    app = open_page("prune", **parameters)
    assert not app.exception
    assert wording.plain(why) in app.error[0].value


def test_a_layer_that_is_not_there_is_told_when_it_is_pruned(empty_home):
    app = open_page("prune", layer_sparsities="block.9=0.5")
    next(button for button in app.button if "Prune at" in button.label).click().run()
    wait_until(app, lambda: app.error)
    assert "no layer" in app.error[0].value


def test_a_run_with_weights_can_be_taken_away_and_measured(empty_home):
    run = lab.prune(PruneSpec(shell.DEFAULT_MODEL, method="magnitude", adaptive="none", sparsity=0.9, calibration=16, dataset="demo-reviews"))
    app = open_page("prune", method="magnitude", adaptive="none", sparsity="0.9", calibration="16", dataset="demo-reviews")
    assert not app.exception
    labels = [button.label for button in app.get("download_button")]
    assert {"JSON", "Model and masks (ZIP)", "Compressed (ZIP)"} <= set(labels)
    next(button for button in app.button if button.label == "Measure on this machine").click().run()
    wait_until(app, lambda: app.dataframe)
    assert app.dataframe[0].value.iloc[0, 0] == "dense"
    with zipfile.ZipFile(io.BytesIO(take_away._compressed(run))) as archive:
        assert any(name.endswith("compressed.safetensors") for name in archive.namelist())


def test_a_failed_job_shows_its_sentence(empty_home, monkeypatch):
    from robustprune.base.errors import StoreError

    def fail(*_arguments):
        raise StoreError("base.verbatim", text="The store cannot be written to: No space left on device.")

    monkeypatch.setattr(lab, "prune", fail)
    app = open_page("prune")
    app.slider(key="sparsity").set_value(0.63).run()
    next(button for button in app.button if "63%" in button.label).click().run()
    wait_until(app, lambda: app.error)
    assert "No space left" in app.error[0].value
    assert not app.exception


@pytest.mark.parametrize(("text", "why"), [(" ", "empty"), ("1234", "no letters")])
def test_a_wrong_text_is_told_on_the_attention_page(text, why, empty_home):
    app = open_page("attention")
    app.text_input(key="text").set_value(text).run()
    assert why in app.error[0].value
    assert not app.exception


def test_a_wrong_text_is_told_on_the_attack_page(empty_home):
    app = open_page("attack")
    app.selectbox(key="demo").set_value("own").run()
    app.text_area(key="text").set_value("?!").run()
    assert "no letters" in app.error[0].value
    assert not app.exception


@pytest.mark.parametrize(
    "parameters",
    [
        {"model": "nope"}, {"sparsity": "900"}, {"method": "magic"}, {"pattern": "x"}, {"ridge": "nan"}, {"runs": "../../etc"}, {"calibration": "x"},
    ],
)  # fmt: skip
def test_a_bad_link_falls_back(parameters, empty_home):
    app = open_page("prune", **parameters)
    assert not app.exception
    assert len(app.title) == 1


def test_every_recipe_can_be_picked_and_one_that_cannot_run_says_what_it_needs(empty_home):
    app = open_page("attack")
    picker = app.selectbox(key="recipe")
    assert len(picker.options) == len(RECIPES)
    assert any("needs a masked language model" in option for option in picker.options)
    picker.set_value("bae").run()
    assert "masked" in app.warning[0].value
    assert not any("Attack both" in button.label for button in app.button)
    assert not app.exception


def test_a_recipe_that_needs_a_masked_language_model_asks_for_one(empty_home, tmp_path):
    app = open_page("attack")
    app.selectbox(key="recipe").set_value("bae").run()
    assert app.warning
    app.text_input(key="masked_lm").set_value(str(tmp_path)).run()
    assert not app.warning
    assert any("Attack both" in button.label for button in app.button)


def test_what_ships_of_an_attack_tells_every_word_and_who_refused_its_replacements(empty_home):
    app = open_page("attack", demo="7")
    assert not app.exception
    table = app.dataframe[0].value
    assert {"Word", "Importance", "Refused by", "Tried", "Taken"} <= set(table.columns)
    assert table["Refused by"].str.contains("wrong sense").any()
    assert (table["Tried"] > 0).any()
    assert "synonyms: near-synonyms by sense" in words(app).replace("\\", "")


@pytest.fixture
def soup(empty_home):
    """The soup of sst2 that ships."""
    return next(one for one in lab.all_soups() if one.dataset == "sst2")


def test_the_dense_page_tells_every_decision_with_its_numbers(soup):
    app = open_page("dense")
    assert not app.exception
    table = app.dataframe[0].value
    assert len(table) == len(soup.steps) + 1
    said = words(app).replace("\\", "")
    for step in soup.steps:
        assert step.name in said
        assert f"{step.together.aua:.1%}" in said
    assert ("is refused" in said) == any(not step.kept for step in soup.steps)


def test_the_soup_is_where_pruning_starts_from(soup):
    app = open_page("dense", model="sst2-demo")
    assert "sst2-soup" in app.get("page_link")[0].proto.label
    app = open_page("prune", model="sst2-soup")
    assert not app.exception
    assert not app.error


def test_the_dense_page_opens_with_a_line_that_is_known(soup):
    app = open_page("dense")
    assert len(app.get("plotly_chart")) == 2
    assert (app.selectbox(key="curve_from").value, app.selectbox(key="curve_to").value) == ("sst2-freelb-1", "sst2-plain-1")
    assert not any("Measure" in button.label for button in app.button)


def test_a_line_between_two_ingredients_is_measured_on_the_page(soup):
    app = open_page("dense", curve_from=soup.steps[1].name, curve_to=soup.steps[2].name)
    charts = len(app.get("plotly_chart"))
    next(button for button in app.button if button.label == "Measure the line").click().run()
    wait_until(app, lambda: len(app.get("plotly_chart")) > charts)
    assert len(app.get("plotly_chart")) == charts + 1
    assert not app.exception
    assert not any(button.label == "Measure the line" for button in app.button)


def test_a_table_names_what_differs_by_more_than_chance(soup):
    table = next(one for one in lab.all_tables() if one.dataset == "sst2" and one.sparsity)
    app = open_page("compare")
    assert not app.exception
    assert any(len(frame.value) == len(table.rows) for frame in app.dataframe)
    assert "baseline imp+freelb" in " ".join(code.value for code in app.code)
