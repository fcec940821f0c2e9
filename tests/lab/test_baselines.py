"""Baselines that retrain: kept, found by name, refused where damaged, and exported as what they are."""

import shutil
import threading

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from robustprune import lab
from robustprune.base.errors import Cancelled, DataError, ModelError, SpecError
from robustprune.models import adapters, loading, sources
from robustprune.models.architectures import linear_layers
from robustprune.specs.train import BaselineSpec, StartFrom, TrainSpec
from tests.models.test_averages import HEAD, save, weights, write_texts

SPEC = BaselineSpec("imp", 0.4, rounds=1, train=TrainSpec(2, rows=16, batch_size=8))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_texts(tmp_path_factory.mktemp("data") / "texts")


@pytest.fixture(scope="module")
def made(dataset):
    return lab.retrain(dataset, SPEC, StartFrom(HEAD), command="the command")


@pytest.fixture
def of_its_own(made, empty_home):
    """The same baseline in a store where a test may damage it."""
    shutil.copytree(made.model_dir.parent, empty_home / "baselines" / made.digest)
    return empty_home / "baselines" / made.digest / "model"


@pytest.fixture
def refuse(monkeypatch):
    def training(*_arguments, **_keywords):
        raise AssertionError("it was trained again")

    monkeypatch.setattr("robustprune.training.retrain.retrain", training)


def sparsity(model):
    layers = [layer.weight for _, layer in linear_layers(model)]
    return sum(int((weight == 0).sum()) for weight in layers) / sum(weight.numel() for weight in layers)


def test_a_stored_baseline_comes_back_at_once(made, dataset, refuse):
    told = []
    assert lab.retrain(dataset, SPEC, StartFrom(HEAD), command="another command", progress=lambda *_: told.append(1)) == made
    assert not told
    for other in (BaselineSpec("lth", 0.4, 1, SPEC.train), BaselineSpec("imp", 0.5, 1, SPEC.train), BaselineSpec("imp", 0.4, 1, TrainSpec(2, rows=17))):
        with pytest.raises(AssertionError, match="trained again"):
            lab.retrain(dataset, other, StartFrom(HEAD))


def test_its_name_stands_for_the_sparse_model(made, dataset):
    source = lab.find_model(made.ref)
    assert (made.ref, source.name, source.labels, source.dataset) == (f"baseline:{made.digest}", made.ref, ("negative", "positive"), dataset)
    assert sparsity(lab.load_model(made.ref).model) == pytest.approx(0.4, abs=1e-4)
    assert made.card["settings"]["sparsity_reached"] == pytest.approx(0.4, abs=1e-4)
    told = lab.evaluate(made.ref)
    assert (told.model, told.dataset, told.examples) == (made.ref, dataset, 12)
    assert told.accuracy == made.card["scores"]["accuracy"]
    assert (made.card["name"], made.card["command"]) == ("imp at 40%", "the command")


def test_an_unknown_one_is_told(empty_home):
    for ask in (lab.find_model, lab.load_model, lab.evaluate):
        with pytest.raises(ModelError, match=r"No baseline '0123456789abcdef' is stored here. Train it again"):
            ask("baseline:0123456789abcdef")


@pytest.mark.parametrize("file", ["adapter_model.safetensors", "mask.safetensors", "card.json"])
def test_a_damaged_one_is_set_aside_and_no_longer_known(made, of_its_own, file, caplog, empty_home):
    assert lab.find_model(made.ref).digest
    content = bytearray((of_its_own / file).read_bytes())
    content[-20] ^= 1
    (of_its_own / file).write_bytes(content)
    with pytest.raises(ModelError, match=r"No baseline .* Train it again"):
        lab.load_model(made.ref)
    assert f"model/{file} was changed" in caplog.text
    assert "set aside" in caplog.text
    (aside,) = (empty_home / "damaged").iterdir()
    assert (aside / "model" / file).read_bytes() == bytes(content)


def test_one_that_was_damaged_is_made_again_the_same(made, of_its_own, dataset):
    (of_its_own / "mask.safetensors").unlink()
    again = lab.retrain(dataset, SPEC, StartFrom(HEAD))
    assert again.digest == made.digest
    assert again.card["sha256"] == made.card["sha256"]


@pytest.mark.parametrize("stop_in", ["round 1", "round 2"])
def test_a_cancelled_one_goes_on_and_comes_to_the_same(made, dataset, empty_home, stop_in):
    cancel = threading.Event()

    def progress(_done, _total, text, _partial=None):
        if stop_in in str(text):
            cancel.set()

    with pytest.raises(Cancelled):
        lab.retrain(dataset, SPEC, StartFrom(HEAD), progress=progress, cancel=cancel)
    assert not list((empty_home / "baselines").glob("*"))
    again = lab.retrain(dataset, SPEC, StartFrom(HEAD))
    assert again.card["sha256"] == made.card["sha256"]
    assert not list((empty_home / "training").iterdir()), "what was kept on the way is still there"


def test_an_export_has_its_own_name_and_is_a_model_by_its_path(made, tmp_path):
    out = lab.export_retrained(made, tmp_path / "sparse")
    assert adapters.card(out) == {**made.card, "name": "sparse"}
    exported, stored = lab.find_model(str(out)), lab.find_model(made.ref)
    assert (exported.digest, exported.labels) == (stored.digest, stored.labels)
    mine, theirs = weights(str(out)), lab.load_model(made.ref).model.state_dict()
    assert all(torch.equal(mine[key], theirs[key]) for key in theirs)
    (out / "left.txt").write_text("from before")
    lab.export_retrained(made, out)
    assert not (out / "left.txt").exists(), "an export gives way to the next"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "novel.txt").write_text("mine")
    with pytest.raises(ModelError, match="not empty"):
        lab.export_retrained(made, tmp_path / "mine")
    assert (tmp_path / "mine" / "novel.txt").read_text() == "mine"


def test_from_a_model_the_weights_themselves_are_kept(dataset, empty_home, tmp_path):
    name = save(tmp_path / "small", labels=2)
    made = lab.retrain(dataset, SPEC, StartFrom(model=name))
    assert sparsity(AutoModelForSequenceClassification.from_pretrained(made.model_dir)) == pytest.approx(0.4, abs=1e-3)
    assert lab.find_model(made.ref).dataset == dataset
    assert lab.evaluate(made.ref).accuracy == made.card["scores"]["accuracy"]
    assert sparsity(loading.load(sources.find(name)).model) == 0, "the model that it started from was changed"


def test_a_baseline_starts_from_a_head_or_from_a_model(dataset, tmp_path):
    with pytest.raises(SpecError, match="not from both"):
        lab.retrain(dataset, SPEC, StartFrom(HEAD, "sst2-demo"))
    with pytest.raises(SpecError, match="not from both"):
        lab.train(dataset, tmp_path / "out", TrainSpec(), StartFrom(HEAD, "sst2-demo"))
    with pytest.raises(ModelError, match=r"No head ships for 'demo-reviews'. Name a --head or a --model"):
        lab.retrain("demo-reviews", SPEC)
    with pytest.raises(DataError, match="label 2"):
        lab.retrain("demo-news", SPEC, StartFrom(HEAD))
    with pytest.raises(SpecError, match="'tpu'"):
        lab.retrain(dataset, SPEC, StartFrom(HEAD), device="tpu")
