"""What a shared server lets people do, and what it does not."""

import tomllib
from pathlib import Path

import pytest
import streamlit as st

from robustprune import lab
from robustprune.base import stores
from robustprune.lab import brought as lab_brought
from robustprune.specs.prune import PruneSpec
from robustprune.specs.recipes import MASKED_LM, RECIPES
from robustprune.ui.frame import shell, sign_in
from robustprune.ui.jobs import panel
from tests.pages.opening import open_page, press, wait_until, words

ROOT = Path(__file__).resolve().parents[2]
# What AppTest calls its session.
SESSION = "test session id"


@pytest.fixture
def shared(monkeypatch, empty_home):
    monkeypatch.setenv("ROBUSTPRUNE_SHARED", "1")


def brought(tmp_path):
    """A model and a data set that somebody brought before the server was shared."""
    folder = tmp_path / "mine"
    folder.mkdir()
    labels = lab.find_model(shell.DEFAULT_MODEL).labels
    made = lab_brought.OwnModel(str(folder), "mine", labels)
    stores.store().put(lab_brought.MODELS, "0" * 16, {"name": made.name, "shown": made.shown, "labels": list(labels)})
    lab_brought.remember_data(str(folder / "mine.tsv"), "mine.tsv", labels)
    return made


def test_models_and_data_of_peoples_own_are_out_of_reach_on_a_shared_server(tmp_path, empty_home, monkeypatch):
    made = brought(tmp_path)
    assert "mine" in open_page("overview").selectbox(key="model").options
    monkeypatch.setenv("ROBUSTPRUNE_SHARED", "1")
    app = open_page("overview", model=made.name, dataset=str(tmp_path / "mine" / "mine.tsv"))
    assert "mine" not in app.selectbox(key="model").options and app.session_state["model"] == shell.DEFAULT_MODEL
    assert "mine.tsv" not in app.selectbox(key="dataset").options


def test_the_page_to_bring_them_says_so(shared):
    app = open_page("bring")
    assert not app.exception and "shared" in words(app)
    assert not app.file_uploader and not [box for box in app.text_input if box.key == "bring_model"]


def test_whole_models_are_not_taken_away_from_a_shared_server(small_run, monkeypatch):
    asked = {"method": "magnitude", "adaptive": "none", "sparsity": "0.9", "calibration": "16"}

    def offered():
        return [button.label for button in open_page("prune", **asked).get("download_button") if "ZIP" in button.label]

    assert len(offered()) == 2
    monkeypatch.setenv("ROBUSTPRUNE_SHARED", "1")
    assert offered() == []


def test_a_recipe_that_needs_a_model_of_ones_own_does_not_ask_for_one(small_run, monkeypatch):
    recipe = next(name for name in RECIPES if MASKED_LM in RECIPES[name].needs)

    def asked():
        app = open_page("attack", recipe=recipe)
        assert not app.exception
        return [box.key for box in app.text_input if box.key == "masked_lm"]

    assert asked() == ["masked_lm"]
    monkeypatch.setenv("ROBUSTPRUNE_SHARED", "1")
    assert asked() == []


def test_a_switch_that_says_neither_opens_nothing(monkeypatch, empty_home):
    monkeypatch.setenv("ROBUSTPRUNE_SHARED", "perhaps")
    app = open_page("bring")
    assert "perhaps" in " ".join(error.value for error in app.error) and not app.file_uploader


def test_a_folder_outside_of_those_allowed_is_refused(empty_home, tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTPRUNE_FOLDERS", str(tmp_path / "allowed"))
    app = open_page("bring")
    app.text_input(key="bring_model").input("/etc").run()
    press(app, "Check the model")
    wait_until(app, lambda: app.error)
    assert "outside the folders" in app.error[0].value


def test_a_second_job_of_a_session_is_refused_with_a_sentence_and_taken_later(empty_home):
    app = open_page("bring")
    app.text_input(key="bring_model").input("no/such-model").run()
    busy = panel.manager().submit("other", lambda job: job.cancel.wait(60), SESSION)
    press(app, "Check the model")
    assert "You already have" in words(app).replace("\\", "")
    panel.manager().cancel(busy)
    press(app, "Check the model")
    assert "You already have" not in words(app).replace("\\", "")


def test_a_text_in_a_link_is_no_longer_than_what_can_be_typed(small_run, monkeypatch):
    monkeypatch.setenv("ROBUSTPRUNE_TEXT_LENGTH", "50")
    app = open_page("attention", runs=small_run.digest, text="word " * 11)
    assert not app.exception and "55 characters" in app.error[0].value
    app = open_page("attack", runs=small_run.digest, demo="own", text="word " * 11)
    assert not app.exception and all(len(area.value) <= 50 for area in app.text_area if area.key != "text")  # its field cuts by itself


def test_on_a_shared_server_nobody_stops_what_somebody_else_asked_for(empty_home, monkeypatch):
    spec = PruneSpec(shell.DEFAULT_MODEL, "demo-reviews", "magnitude", "none", 0.9, calibration=16)
    running = panel.manager().submit(lab.prune_digest(spec)[0], lambda job: job.cancel.wait(60), "somebody else")

    def cancel():
        app = open_page("prune", method="magnitude", adaptive="none", sparsity="0.9", calibration="16")
        return next(button for button in app.button if button.label == "Cancel")

    assert not cancel().disabled
    monkeypatch.setenv("ROBUSTPRUNE_SHARED", "1")
    assert cancel().disabled
    running.owner = SESSION
    assert not cancel().disabled


# Signing in


@pytest.fixture
def secrets(tmp_path, monkeypatch):
    """A file of secrets, to be written by the test."""
    file = tmp_path / "secrets.toml"
    before = st.get_option("secrets.files")
    st.config.set_option("secrets.files", [str(file)])
    st.secrets._reset()
    yield file
    st.config.set_option("secrets.files", before)
    st.secrets._reset()


def test_without_secrets_nobody_is_asked(secrets, empty_home):
    assert not sign_in.required()


def test_damaged_secrets_let_nobody_in(secrets, empty_home):
    secrets.write_text("[auth\n")
    app = open_page("overview")
    assert "nobody can sign in" in app.error[0].value and not app.title and not app.selectbox


def test_people_without_a_way_to_sign_in_let_nobody_in(secrets, monkeypatch, empty_home):
    monkeypatch.setenv("ROBUSTPRUNE_PEOPLE", "somebody@school.example")
    app = open_page("overview")
    assert "auth" in app.error[0].value and not app.selectbox


def test_the_app_listens_on_this_machine_only_and_takes_no_file_over_50_megabytes():
    with open(ROOT / ".streamlit" / "config.toml", "rb") as file:
        server = tomllib.load(file)["server"]
    assert (server["address"], server["maxUploadSize"]) == ("127.0.0.1", 50)
    assert not {"enableCORS", "enableXsrfProtection", "enableAgentApi", "enableStaticServing"} & set(server)  # as safe as Streamlit has them
