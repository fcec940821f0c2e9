"""Models: what a name means, what is refused, and that what ships is what its card says."""

import json
import shutil
import time

import pytest
import torch

from robustprune.base import hashing
from robustprune.base.errors import ModelError
from robustprune.models import backbone, inference, loading, sources
from robustprune.texts import datasets
from tests.small_models import classifier


@pytest.fixture
def saved(tmp_path):
    """A folder with a small saved classifier."""
    model, tokenizer = classifier()
    model.save_pretrained(tmp_path / "saved")
    tokenizer.save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.mark.parametrize(("name", "demo"), [("sst2-demo", "demo-reviews"), ("ag_news-demo", "demo-news")])
def test_a_demo_model_is_right_on_its_demo_texts(name, demo):
    one = loading.load(sources.find(name))
    parts = [datasets.load(demo, role) for role in ("calibration", "evaluation", "showcase")]
    texts, labels = sum((part.texts for part in parts), ()), sum((part.labels for part in parts), ())
    predicted = inference.logits(one.model, one.tokenizer, texts).argmax(-1)
    assert (predicted == torch.tensor(labels)).float().mean() >= 0.85


@pytest.mark.parametrize("name", ["sst2-demo", "ag_news-demo"])
def test_cards_tell_how_the_model_came_about(name):
    card = sources.card(name)
    assert card["scores"]["accuracy"] >= 0.87
    assert card["command"].startswith("python -m robustprune train")
    assert card["training"]["rows"] > 9_000
    size = sum(path.stat().st_size for path in (sources.SHIPPED / name).iterdir())
    assert 1e6 < size < 3e6


def test_adapters_start_from_the_head_that_ships():
    for name in ("sst2", "ag_news"):
        head = sources.SHIPPED / "heads" / name
        assert hashing.of_file(head / "head.safetensors") == json.loads((head / "card.json").read_text())["sha256"]["head.safetensors"]
        assert f"heads/{name}" in sources.card(f"{name}-demo")["command"]


def test_loading_asks_nobody(monkeypatch):
    def refuse(*_arguments, **_keywords):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    started = time.perf_counter()
    loading.load(sources.find("sst2-demo"))
    assert time.perf_counter() - started < 30  # a hang would be a network; the figure itself is measured by hand


def test_a_saved_folder_loads(saved):
    one = loading.load(sources.find(str(saved)))
    assert one.source.labels == ("LABEL_0", "LABEL_1", "LABEL_2")
    assert not one.model.training


def test_another_weight_is_another_model(saved):
    before = sources.find(str(saved)).digest
    model, _ = classifier(seed=1)
    model.save_pretrained(saved)
    assert sources.find(str(saved)).digest != before


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(ModelError, match="ag_news-demo, ag_news-soup, sst2-demo, sst2-soup"):
        sources.find("nope")


def test_a_hub_id_offline_says_so():
    with pytest.raises(ModelError, match="could not be loaded from the hub"):
        sources.find("somebody/something")


def edit_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_another_architecture_is_refused_by_name(saved):
    edit_config(saved, model_type="gpt2")
    with pytest.raises(ModelError, match=r"'gpt2'.*bert, roberta"):
        sources.find(str(saved))


def test_remote_code_is_refused(saved):
    edit_config(saved, auto_map={"AutoModel": "evil.Model"})
    with pytest.raises(ModelError, match="its own code"):
        sources.find(str(saved))


def test_pickled_weights_are_refused(saved):
    (saved / "model.safetensors").rename(saved / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled weights are refused"):
        sources.find(str(saved))


def test_damaged_weights_are_told(saved):
    path = saved / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        loading.load(sources.find(str(saved)))


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_a_damaged_config_is_told(saved, content):
    (saved / "config.json").write_text(content)
    with pytest.raises(ModelError, match="damaged"):
        sources.find(str(saved))


@pytest.fixture
def copied_models(tmp_path, monkeypatch):
    """A copy of what ships, to be damaged."""
    shutil.copytree(sources.SHIPPED, tmp_path / "models")
    monkeypatch.setattr(sources, "SHIPPED", tmp_path / "models")
    return tmp_path / "models"


def test_a_corrupt_adapter_is_told(copied_models):
    path = copied_models / "sst2-demo" / "adapter_model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged: adapter_model\.safetensors"):
        sources.find("sst2-demo")


@pytest.fixture
def wrong_backbone(tmp_path):
    for name in backbone.SHA256:
        (tmp_path / name).write_bytes(b"something else")
    return tmp_path


def test_a_backbone_with_another_sha_is_refused(monkeypatch, wrong_backbone):
    monkeypatch.setattr(backbone, "_in_hub_cache", lambda: None)
    monkeypatch.setattr(backbone, "_in_package", lambda: wrong_backbone)
    monkeypatch.setattr(backbone, "_from_hub", lambda: None)
    with pytest.raises(ModelError, match=r"not the official one.*expected 53aa51172d142c89"):
        backbone.folder()


def test_a_wrong_copy_in_the_hubs_cache_does_not_hide_the_package(monkeypatch, wrong_backbone):
    monkeypatch.setattr(backbone, "_in_hub_cache", lambda: wrong_backbone)
    assert backbone.folder() != wrong_backbone
