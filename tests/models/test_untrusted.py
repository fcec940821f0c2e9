"""Models that others made: what is damaged or made to do harm is refused with a sentence, and what is fine is taken."""

import json
import shutil

import pytest

from robustprune import lab
from robustprune.base.errors import ModelError
from robustprune.models import compressed
from robustprune.ui import limits
from tests.trust.hostile import changed_models, models


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign")
    models.made(folder)
    return folder


@pytest.mark.parametrize("name", models.HARM)
def test_a_folder_that_does_harm_is_refused(home, empty_home, monkeypatch, name):
    monkeypatch.setenv("ROBUSTPRUNE_FOLDERS", str(home))
    models.check(home, name)
    assert lab.own_models() == []


def test_a_folder_that_is_fine_is_taken(home, empty_home, monkeypatch):
    monkeypatch.setenv("ROBUSTPRUNE_FOLDERS", str(home))
    made = lab.bring_model(limits.check_name(str(models.made(home))))
    assert lab.own_models() == [made]


@pytest.mark.parametrize(("named", "missing"), [("vocab_file", "tokenizer.json"), ("tokenizer_file", "vocab.txt"), ("special_tokens_map_file", "vocab.txt")])
def test_a_tokenizer_whose_settings_name_files_of_another_machine_is_read_from_the_folder(home, empty_home, tmp_path, monkeypatch, named, missing):
    """As those of many models on the hub do; what lies beside the settings is meant."""
    monkeypatch.setenv("ROBUSTPRUNE_FOLDERS", str(tmp_path))
    folder = tmp_path / "named"
    shutil.copytree(models.made(home), folder)
    (folder / missing).unlink()
    path, file = folder / "tokenizer_config.json", {"vocab_file": "vocab.txt", "tokenizer_file": "tokenizer.json"}.get(named, "map.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), named: f"/somebody/else/{file}"}))
    assert lab.bring_model(limits.check_name(str(folder))).labels
    assert len(lab.load_model(str(folder)).tokenizer) == 30_522


def test_a_compressed_folder_is_looked_at_as_well(home, empty_home, tmp_path):
    whole = lab.load_model(str(models.made(home)))
    compressed.write(tmp_path, whole.model, whole.tokenizer)
    assert lab.bring_model(str(tmp_path)).labels
    models.HARM["a tokenizer with words that the model lacks"](tmp_path)
    with pytest.raises(ModelError, match="30,522"):
        lab.bring_model(str(tmp_path))


@pytest.mark.parametrize("number", range(8))
def test_a_folder_changed_by_chance_is_refused_with_a_sentence_or_can_read(home, empty_home, number):
    changed_models.check(home, number)
