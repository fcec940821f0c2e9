"""A training from its spec to its folder: a head, an adapter from that head, and a classifier that is fine-tuned in full."""

import hashlib
import json
import threading

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification

from robustprune.base import hashing, paths
from robustprune.base.errors import Cancelled, DataError, ModelError, SpecError
from robustprune.models import adapters, backbone, inference, loading, sources
from robustprune.specs.train import FreeLB, TrainSpec
from robustprune.texts import datasets
from robustprune.training import card, finetune
from robustprune.training import train as training
from robustprune.training.train import Start
from tests.small_models import classifier

LABELS = ("negative", "positive")
HEAD = sources.SHIPPED / "heads" / "sst2"
# Of MiniLM: four steps of eight texts.
SPEC = TrainSpec(rank=2, learning_rate=0.002, batch_size=8)
TEXTS = datasets.load("demo-reviews", "calibration").sample(64, 0)


def silent(*_):
    pass


def write(folder, train, validation):
    folder.mkdir(exist_ok=True)
    for split, rows in (("train", train), ("validation", validation)):
        (folder / f"{split}.tsv").write_text("text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
    return str(folder)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """32 texts to train on and 12 to measure on."""
    rows = list(zip(TEXTS.texts, TEXTS.labels, strict=True))
    return write(tmp_path_factory.mktemp("data") / "reviews", rows[:32], rows[32:44])


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    model, tokenizer = classifier("bert", labels=2)
    folder = tmp_path_factory.mktemp("small")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return loading.load(sources.find(str(folder)))


class AtStep(threading.Event):
    """A person who wants to stop at a step."""

    def __init__(self, step):
        super().__init__()
        self.left = step

    def is_set(self):
        self.left -= 1
        return self.left <= 0


def run(dataset, out, start, spec=SPEC, cancel=None, progress=silent):
    torch.seed()  # what was drawn before must not matter
    return training.train(dataset, out, start, spec, "the command", "cpu", progress, cancel)


def from_head(dataset):
    return Start.from_head(HEAD, dataset)


def checkpoints():
    return list((paths.home() / "training").glob("*"))


def files(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def adapter(dataset, tmp_path_factory):
    """An adapter's folder, its card, and the logits of the model as it was trained."""
    kept, folder = [], tmp_path_factory.mktemp("adapter") / "mine"
    with pytest.MonkeyPatch.context() as patch:
        original = training.accuracy
        patch.setattr(training, "accuracy", lambda model, *rest: (kept.append(model), original(model, *rest))[1])
        about = run(dataset, folder, from_head(dataset))
    return folder, about, inference.logits(kept[0], backbone.tokenizer(), TEXTS.texts)


def test_the_head_learns_and_leaves_the_backbone_alone(tmp_path):
    model = backbone.new_classifier(LABELS)
    before = (inference.logits(model, backbone.tokenizer(), TEXTS.texts).argmax(-1) == torch.tensor(TEXTS.labels)).float().mean()
    trained = finetune.train_head(TEXTS, LABELS, TrainSpec(epochs=20), silent)
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in trained.state_dict().items() if not name.startswith(finetune.HEAD_MODULES))
    card.save_head(trained, tmp_path)
    weights = load_file(tmp_path / "head.safetensors")
    assert set(weights) == {f"{module}.{kind}" for module in finetune.HEAD_MODULES for kind in ("weight", "bias")}
    model.load_state_dict(weights, strict=False)
    after = (inference.logits(model, backbone.tokenizer(), TEXTS.texts).argmax(-1) == torch.tensor(TEXTS.labels)).float().mean()
    assert after > max(0.75, float(before))


def test_a_new_head_is_written_and_an_adapter_starts_from_it(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "LABELS", {dataset: LABELS})
    about = run(dataset, tmp_path / "head", None)
    assert set(files(tmp_path / "head")) == {"head.safetensors", "card.json"}
    assert (about["settings"]["rank"], about["start"], about["training"]["rows"]) == (0, backbone.DIGEST, 32)
    start = Start.from_head(tmp_path / "head", dataset)
    assert start.labels == LABELS
    weights = load_file(tmp_path / "head" / "head.safetensors")
    assert all(torch.equal(value, start.model.state_dict()[name]) for name, value in weights.items())
    assert start.digest != from_head(dataset).digest


def test_an_adapter_is_small_and_comes_back_as_it_was(adapter):
    folder, _, logits = adapter
    assert set(files(folder)) == {"adapter_config.json", "adapter_model.safetensors", "card.json"}
    assert (folder / "adapter_model.safetensors").stat().st_size < 3e6
    loaded = loading.load(sources.find(str(folder)))
    assert loaded.source.labels == LABELS
    for model in (loaded.model, adapters.load(folder)):
        assert torch.allclose(inference.logits(model, backbone.tokenizer(), TEXTS.texts), logits, atol=1e-5)
    start = inference.logits(from_head("sst2").model, backbone.tokenizer(), TEXTS.texts)
    assert (logits - start).abs().max() > 0.01


def test_an_adapter_changes_the_weights_of_the_encoder_and_the_head_and_nothing_else(adapter):
    trained, plain = adapters.load(adapter[0]).state_dict(), backbone.new_classifier(LABELS).state_dict()
    changed = {name for name, value in plain.items() if not torch.equal(value, trained[name])}
    layers = {name for name, value in plain.items() if name.startswith("bert.encoder") and value.ndim == 2}
    assert len(layers) == 6 * 6
    assert changed == layers | {name for name in plain if name.startswith(("bert.pooler", "classifier"))}


def test_no_path_of_this_machine_is_in_what_ships(adapter, dataset):
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        assert str(adapter[0].parent).encode() not in (adapter[0] / name).read_bytes()
    assert json.loads((adapter[0] / "adapter_config.json").read_text())["base_model_name_or_path"] == backbone.HUB_ID


def test_the_same_training_twice_gives_the_same_bytes(adapter, dataset, tmp_path):
    run(dataset, tmp_path / "again", from_head(dataset))
    again, first = files(tmp_path / "again"), files(adapter[0])
    assert all(again[name] == first[name] for name in ("adapter_config.json", "adapter_model.safetensors"))
    assert not checkpoints()


def test_a_card_tells_how_the_model_came_about(adapter, dataset):
    folder, about, _ = adapter
    assert json.loads((folder / "card.json").read_text()) == about
    assert about["name"] == "mine"
    assert (about["dataset"], about["labels"], about["backbone"], about["command"]) == (dataset, list(LABELS), backbone.HUB_ID, "the command")
    assert about["start"] == from_head(dataset).digest
    texts = datasets.load(dataset, "calibration")
    nothing = {"rows": 0, "texts_sha256": texts.take([]).digest}
    assert about["training"] == {"split": "train", "rows": 32, "texts_sha256": texts.digest, "held_out": nothing}
    assert TrainSpec.from_json(about["settings"]) == SPEC
    assert about["sha256"] == {name: value for name, value in files(folder).items() if name != "card.json"}


def test_a_card_has_the_accuracy_of_the_model_that_is_loaded(adapter, dataset):
    folder, about, _ = adapter
    texts = datasets.load(dataset, "evaluation")
    predicted = inference.logits(loading.load(sources.find(str(folder))).model, backbone.tokenizer(), texts.texts).argmax(-1)
    scores = about["scores"]
    assert (scores["split"], scores["examples"]) == ("validation", 12)
    assert scores["accuracy"] == (predicted == torch.tensor(texts.labels)).double().mean()
    assert 0 <= scores["accuracy_low"] < scores["accuracy"] <= scores["accuracy_high"] <= 1


def test_a_card_names_the_texts_that_were_held_out_and_drawn(small, dataset, tmp_path):
    spec = TrainSpec(rank=0, held_out=5, rows=10, batch_size=8, seed=3)
    about = run(dataset, tmp_path / "out", Start.from_model(small), spec)["training"]
    left, kept = training.split(datasets.load(dataset, "calibration"), 5)
    assert about["held_out"] == {"rows": 5, "texts_sha256": kept.digest}
    assert (about["rows"], about["texts_sha256"]) == (10, left.sample(10, 3).digest)
    other = run(dataset, tmp_path / "other", Start.from_model(small), TrainSpec(rank=0, held_out=5, rows=10, batch_size=8, seed=4))["training"]
    assert other["held_out"] == about["held_out"]
    assert other["texts_sha256"] != about["texts_sha256"]


def test_a_damaged_file_beside_a_card_is_noticed(adapter, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in adapter[0].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    assert sources.find(str(folder)).digest == sources.find(str(adapter[0])).digest
    (folder / "adapter_config.json").write_text((folder / "adapter_config.json").read_text() + " ")
    with pytest.raises(ModelError, match="damaged"):
        sources.find(str(folder))


def test_without_a_rank_a_head_becomes_a_model_that_transformers_loads(dataset, tmp_path):
    about = run(dataset, tmp_path / "full", from_head(dataset), TrainSpec(rank=0, learning_rate=1e-4, batch_size=8))
    assert {"config.json", "model.safetensors", "card.json", "tokenizer.json"} <= set(files(tmp_path / "full"))
    assert not (tmp_path / "full" / "adapter_config.json").exists()
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "full", attn_implementation="eager").eval()
    assert tuple(model.config.id2label.values()) == LABELS
    ours = loading.load(sources.find(str(tmp_path / "full")))
    assert torch.equal(inference.logits(model, backbone.tokenizer(), TEXTS.texts), inference.logits(ours.model, ours.tokenizer, TEXTS.texts))
    assert ours.source.dataset == dataset
    assert about["sha256"]["model.safetensors"] == hashing.of_file(tmp_path / "full" / "model.safetensors")
    query = "bert.encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(model.state_dict()[query], backbone.new_classifier(LABELS).state_dict()[query])


@pytest.mark.parametrize("settings", [{"rank": 2}, {"rank": 0}, {"rank": 2, "freelb": FreeLB(2)}])
def test_a_model_is_fine_tuned_into_a_model_and_stays_itself(settings, small, dataset, tmp_path):
    before = {name: value.clone() for name, value in small.model.state_dict().items()}
    about = run(dataset, tmp_path / "out", Start.from_model(small), TrainSpec(learning_rate=0.01, batch_size=8, **settings))
    made = loading.load(sources.find(str(tmp_path / "out")))
    assert about["start"] == small.source.digest != made.source.digest
    after = made.model.state_dict()
    assert before.keys() == after.keys()
    assert not torch.equal(before["bert.encoder.layer.0.output.dense.weight"], after["bert.encoder.layer.0.output.dense.weight"])
    assert torch.equal(before["bert.embeddings.word_embeddings.weight"], after["bert.embeddings.word_embeddings.weight"])
    assert all(torch.equal(value, small.model.state_dict()[name]) for name, value in before.items())
    assert not any(weight.requires_grad for weight in small.model.parameters())


def test_a_cancelled_training_leaves_the_folder_and_goes_on_when_it_is_asked_for_again(small, dataset, tmp_path):
    spec = TrainSpec(rank=2, learning_rate=0.01, batch_size=4)
    run(dataset, tmp_path / "whole" / "out", Start.from_model(small), spec)
    out = tmp_path / "here" / "out"
    out.mkdir(parents=True)
    (out / "card.json").write_text("old")
    before = files(out)
    for stop in (3, 6):  # while training, and, after the five steps that are left of eight, while measuring
        with pytest.raises(Cancelled, match="continue from here"):
            run(dataset, out, Start.from_model(small), spec, AtStep(stop))
        assert files(out) == before
        assert list(out.parent.iterdir()) == [out]
        assert len(checkpoints()) == 1
    told = []
    run(dataset, out, Start.from_model(small), spec, progress=lambda done, total, doing, partial: told.append(str(doing)))
    assert not any(text.startswith("training") for text in told)
    assert files(out)["model.safetensors"] == files(tmp_path / "whole" / "out")["model.safetensors"]
    assert not checkpoints()


def test_another_training_does_not_go_on_from_a_cancelled_one(small, dataset, tmp_path):
    for settings in ({}, {"seed": 1}, {"optimiser": "sgd"}, {"freelb": FreeLB(1)}, {"rows": 30}, {"rank": 3}):
        with pytest.raises(Cancelled):
            run(dataset, tmp_path / "out", Start.from_model(small), TrainSpec(**{"rank": 2, "batch_size": 8, **settings}), AtStep(2))
    try:
        assert len(checkpoints()) == 6
    finally:
        for path in checkpoints():
            path.unlink()


def test_a_folder_with_a_card_gives_way_and_one_of_somebody_else_is_refused_before_training(small, dataset, tmp_path):
    ours, foreign = tmp_path / "ours", tmp_path / "foreign"
    for folder, name in ((ours, "card.json"), (ours, "old"), (foreign, "thesis.txt")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("{}")
    spec = TrainSpec(rank=0, batch_size=8)
    run(dataset, ours, Start.from_model(small), spec)
    assert "old" not in files(ours)
    assert json.loads((ours / "card.json").read_text())["name"] == "ours"
    told = []
    with pytest.raises(ModelError, match="not empty"):
        run(dataset, foreign, Start.from_model(small), spec, progress=lambda *said: told.append(said))
    assert not told
    assert set(files(foreign)) == {"thesis.txt"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foreign", "ours"]


@pytest.mark.parametrize("split", ["train", "validation"])
def test_labels_that_do_not_fit_are_refused_before_training(split, small, tmp_path):
    good, bad = [("a fine film", 1), ("a dull film", 0)], [("a fine film", 2), ("a dull film", 0)]
    wrong = write(tmp_path / "data", bad if split == "train" else good, bad if split == "validation" else good)
    with pytest.raises(DataError, match="has the label 2"):
        run(wrong, tmp_path / "out", Start.from_model(small))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("dataset", ["demo-reviews", "imdb"])
def test_a_new_head_for_a_data_set_whose_classes_are_not_known_is_refused(dataset, tmp_path):
    with pytest.raises(DataError, match=rf"sst2, ag_news.*'{dataset}'"):
        run(dataset, tmp_path / "out", None)


def test_a_missing_head_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(ModelError, match=rf"robustprune train --dataset sst2 --out {tmp_path}"):
        Start.from_head(tmp_path, "sst2")


def test_progress_ends_at_the_last_step_and_is_told_now_and_then(small, dataset, tmp_path):
    told = []
    spec = TrainSpec(rank=0, batch_size=1)
    run(dataset, tmp_path / "out", Start.from_model(small), spec, progress=lambda done, total, doing, partial: told.append((done, total, str(doing))))
    steps = [one for one in told if one[2].startswith("training")]
    assert [one[:2] for one in steps] == [(20, 32), (32, 32)]
    assert told[-1] == (12, 12, "measuring accuracy")


@pytest.mark.parametrize("settings", [{"optimiser": "sgd"}, {"freelb": FreeLB(3)}, {"precision": "bfloat16"}, {"rank": 0}])
def test_what_a_head_has_no_use_for_is_refused(settings, tmp_path):
    with pytest.raises(SpecError, match="A head is trained with AdamW"):
        training.train("sst2", tmp_path / "out", None, TrainSpec(**settings), "", "cpu", lambda *_: None, None)
