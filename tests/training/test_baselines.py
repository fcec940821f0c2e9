"""Baselines that prune by magnitude and retrain: what is zero, what stays zero, what is rewound, and what is written."""

import hashlib
import json
import threading
from dataclasses import replace
from functools import partial

import pytest
import torch

from robustprune.base import paths
from robustprune.base.checks import MAX_SEED
from robustprune.base.errors import Cancelled
from robustprune.models import backbone, inference, loading, sources
from robustprune.models.architectures import linear_layers
from robustprune.specs.train import BaselineSpec, FreeLB, TrainSpec
from robustprune.texts import datasets
from robustprune.training import baselines, retrain, train
from robustprune.training.checkpoint import Checkpoint
from robustprune.training.train import Start
from tests.small_models import classifier

HEAD = sources.SHIPPED / "heads" / "sst2"
TEXTS = datasets.load("demo-reviews", "calibration").sample(40, 0)
TRAIN = TrainSpec(rank=2, learning_rate=0.01, batch_size=8)
METHODS = pytest.mark.parametrize("method", ["imp", "lth"])


class Rounds:
    """A baseline of a small model, with its weights as every round began and ended."""

    def __init__(self, spec, tmp_path, family="bert"):
        self.model, tokenizer = classifier(family, labels=2)
        self.dense = [layer.weight.clone() for _, layer in linear_layers(self.model)]
        self.began, self.ended, self.seen = [], [], []
        self.parts = [TEXTS.take(range(number * 8, number * 8 + 16)) for number in range(spec.rounds + 1)]

        def texts(number):
            self.began.append(self.now())
            return self.parts[number]

        def watch(number, step, steps, doing, loss):
            self.seen.append((number, step, steps))
            self.ended = [*self.ended[:number], self.now()]

        self.adapters = baselines.train(
            self.model, tokenizer, texts, spec, lambda number, part: Checkpoint(tmp_path / f"{number}.safetensors"), lambda number: partial(watch, number)
        )

    @torch.no_grad()
    def now(self):
        """The weights that the layers compute with, and all that is trained."""
        weights = torch.cat([layer.weight.flatten() for _, layer in linear_layers(self.model)])
        return weights, {name: value.clone() for name, value in self.model.named_parameters() if value.requires_grad}


def zeros(weights):
    return int((weights == 0).sum())


@METHODS
@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
def test_every_round_leaves_just_as_many_zeros_as_it_should(method, family, tmp_path):
    spec = BaselineSpec(method, 0.7, 3, TRAIN)
    rounds = Rounds(spec, tmp_path, family)
    count = len(rounds.began[0][0])
    assert [zeros(weights) for weights, _ in rounds.began] == [round(spec.sparsity_after(number) * count) for number in range(4)]
    assert [zeros(weights) for weights, _ in rounds.ended] == [zeros(weights) for weights, _ in rounds.began]
    assert zeros(rounds.now()[0]) == round(0.7 * count)
    shares = [float((adapter.mask == 0).float().mean()) for adapter in rounds.adapters.values()]
    assert max(shares) - min(shares) > 0.01  # counted over the whole encoder, not layer by layer


@METHODS
def test_the_smallest_trained_weights_of_the_encoder_go(method, tmp_path):
    rounds = Rounds(BaselineSpec(method, 0.6, 2, TRAIN), tmp_path)
    for number in range(2):
        trained, mask = rounds.ended[number][0].abs(), rounds.began[number + 1][0] != 0
        assert trained[~mask].max() <= trained[mask].min()


@METHODS
def test_what_is_pruned_stays_pruned(method, tmp_path):
    rounds = Rounds(BaselineSpec(method, 0.6, 3, TRAIN), tmp_path)
    for (before, _), (after, _) in zip(rounds.began, rounds.ended, strict=True):
        assert torch.equal(before == 0, after == 0)
        assert not torch.equal(before, after)
    for (before, _), (after, _) in zip(rounds.ended, rounds.began[1:], strict=False):
        assert not (after[before == 0] != 0).any()


def test_imp_goes_on_from_where_it_was(tmp_path):
    rounds = Rounds(BaselineSpec("imp", 0.5, 2, TRAIN), tmp_path)
    for (_, before), (_, after) in zip(rounds.ended, rounds.began[1:], strict=False):
        assert all(torch.equal(value, after[name]) for name, value in before.items())
        weights, kept = rounds.ended[0][0], rounds.began[1][0] != 0
        assert torch.equal(rounds.began[1][0], weights * kept)


def test_lth_goes_back_to_the_start_but_for_the_mask(tmp_path):
    rounds = Rounds(BaselineSpec("lth", 0.5, 2, TRAIN), tmp_path)
    dense = torch.cat([weight.flatten() for weight in rounds.dense])
    first = rounds.began[0][1]
    for number in (1, 2):
        weights, trained = rounds.began[number]
        assert all(torch.equal(value, trained[name]) for name, value in first.items())
        assert torch.equal(weights, dense * (weights != 0))
        assert any(not torch.equal(value, rounds.ended[number][1][name]) for name, value in first.items() if "classifier" in name)
    assert not torch.equal(rounds.ended[2][0], rounds.began[2][0])


def test_every_round_trains_once_through_its_own_texts_in_its_own_order(tmp_path, monkeypatch):
    orders = []
    original = baselines.loop._rows
    monkeypatch.setattr(
        baselines.loop, "_rows", lambda lengths, spec, skip: (orders.append(list(original([1] * 16, spec, 0))), original(lengths, spec, skip))[1]
    )
    rounds = Rounds(BaselineSpec("imp", 0.5, 2, TRAIN), tmp_path)
    assert rounds.seen == [(number, step, 2) for number in range(3) for step in (1, 2)]
    assert len({str(order) for order in orders}) == 3


@pytest.mark.parametrize("family", ["bert", "roberta", "electra", "distilbert"])
def test_only_adapter_and_head_are_trained_and_settling_changes_no_answer(family, tmp_path):
    rounds = Rounds(BaselineSpec("imp", 0.5, 1, TRAIN), tmp_path, family)
    plain, tokenizer = classifier(family, labels=2)
    before, masked = inference.logits(rounds.model, tokenizer, TEXTS.texts), rounds.now()[0]
    baselines.merge_masks(rounds.model)
    state = rounds.model.state_dict()
    assert state.keys() == plain.state_dict().keys()
    assert torch.equal(inference.logits(rounds.model, tokenizer, TEXTS.texts), before)
    assert torch.equal(torch.cat([layer.weight.flatten() for _, layer in linear_layers(rounds.model)]), masked)
    layers = {id(layer.weight) for _, layer in linear_layers(plain)}
    changed = {name for name, value in plain.named_parameters() if not torch.equal(value, state[name])}
    head = ("pooler", "pre_classifier", "classifier")
    assert changed == {name for name, value in plain.named_parameters() if id(value) in layers or any(part in name for part in head)}


def test_freelb_makes_another_baseline_of_the_same_sparsity(tmp_path):
    plain, robust = (Rounds(BaselineSpec("imp", 0.5, 1, replace(TRAIN, freelb=FreeLB(steps))), tmp_path / str(steps)) for steps in (0, 2))
    assert zeros(plain.now()[0]) == zeros(robust.now()[0])
    assert not torch.equal(plain.now()[0], robust.now()[0])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """28 texts to train on and 12 to measure on."""
    folder = tmp_path_factory.mktemp("data") / "reviews"
    folder.mkdir()
    rows = [f"{text}\t{label}\n" for text, label in zip(TEXTS.texts, TEXTS.labels, strict=True)]
    for split, part in (("train", rows[:28]), ("validation", rows[28:])):
        (folder / f"{split}.tsv").write_text("text\tlabel\n" + "".join(part))
    return str(folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    model, tokenizer = classifier("roberta", labels=2)
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


def make(dataset, folder, start, spec, cancel=None):
    torch.seed()  # what was drawn before must not matter
    folder.mkdir(exist_ok=True)
    return retrain.retrain(dataset, folder, "mine", start, spec, "the command", "cpu", lambda *_: None, cancel)


def checkpoints():
    return list((paths.home() / "training").glob("*"))


def files(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@METHODS
def test_from_a_head_it_is_an_adapter_and_a_mask_and_comes_back_as_it_was(method, dataset, tmp_path):
    start = Start.from_head(HEAD, dataset)
    spec = BaselineSpec(method, 0.6, 1, TRAIN)
    about = make(dataset, tmp_path / "made", start, spec)
    assert set(files(tmp_path / "made")) == {"adapter_config.json", "adapter_model.safetensors", "mask.safetensors", "card.json"}
    assert about["sha256"] == {name: value for name, value in files(tmp_path / "made").items() if name != "card.json"}
    loaded = loading.load(sources.find(str(tmp_path / "made")))
    ours, theirs = (inference.logits(model, backbone.tokenizer(), TEXTS.texts) for model in (start.model, loaded.model))
    assert torch.allclose(ours, theirs, atol=1e-5)
    weights = [layer.weight for _, layer in linear_layers(loaded.model)]
    count = sum(weight.numel() for weight in weights)
    assert sum(map(zeros, weights)) == round(0.6 * count)
    assert about["settings"]["sparsity_reached"] == round(0.6 * count) / count
    unpruned = inference.logits(Start.from_head(HEAD, dataset).model, backbone.tokenizer(), TEXTS.texts)
    assert (ours - unpruned).abs().max() > 0.01


def test_from_a_model_it_is_a_model_and_comes_back_as_it_was(small, dataset, tmp_path):
    before = {name: value.clone() for name, value in small.model.state_dict().items()}
    start = Start.from_model(small)
    about = make(dataset, tmp_path / "made", start, BaselineSpec("imp", 0.6, 2, TRAIN))
    loaded = loading.load(sources.find(str(tmp_path / "made")))
    ours, theirs = (inference.logits(model, small.tokenizer, TEXTS.texts) for model in (start.model, loaded.model))
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert loaded.source.dataset == dataset
    assert all(torch.equal(value, small.model.state_dict()[name]) for name, value in before.items())
    assert json.loads((tmp_path / "made" / "card.json").read_text()) == about
    assert (about["start"], about["name"], about["training"]["rows"]) == (small.source.digest, "mine", 28)
    assert (about["settings"]["method"], about["settings"]["rounds"], about["settings"]["sparsity"]) == ("imp", 2, 0.6)
    texts = datasets.load(dataset, "evaluation")
    right = (inference.logits(loaded.model, loaded.tokenizer, texts.texts).argmax(-1) == torch.tensor(texts.labels)).double().mean()
    assert (about["scores"]["examples"], about["scores"]["accuracy"]) == (12, right)


@METHODS
@pytest.mark.parametrize("freelb", [0, 2])
def test_a_cancelled_baseline_goes_on_and_ends_bit_for_bit_where_it_would_have(method, freelb, small, dataset, tmp_path):
    spec = BaselineSpec(method, 0.6, 2, replace(TRAIN, rows=20, held_out=3, freelb=FreeLB(freelb)))
    whole = make(dataset, tmp_path / "whole", Start.from_model(small), spec)
    # Three rounds of three steps: within each, and in the end while measuring. No step that is done is done again, so each counts from the last.
    for stop in (2, 3, 3, 2):
        with pytest.raises(Cancelled):
            make(dataset, tmp_path / "cancelled", Start.from_model(small), spec, AtStep(stop))
        assert checkpoints()
    again = make(dataset, tmp_path / "again", Start.from_model(small), spec)
    assert files(tmp_path / "again")["model.safetensors"] == files(tmp_path / "whole")["model.safetensors"]
    assert {**again, "seconds": 0} == {**whole, "seconds": 0}
    assert not checkpoints()


def test_every_round_draws_its_own_texts_from_those_that_are_not_held_out(small, dataset, tmp_path, monkeypatch):
    drawn = []
    original = retrain.checkpoint
    monkeypatch.setattr(retrain, "checkpoint", lambda start, texts, *rest: (drawn.append(texts), original(start, texts, *rest))[1])
    spec = BaselineSpec("imp", 0.5, 2, replace(TRAIN, rows=10, held_out=4, seed=5))
    about = make(dataset, tmp_path / "made", Start.from_model(small), spec)
    left, kept = train.split(datasets.load(dataset, "calibration"), 4)
    assert drawn == [left.sample(10, 5 + number) for number in range(3)]
    assert len({part.texts for part in drawn}) == 3
    assert about["training"]["held_out"] == {"rows": 4, "texts_sha256": kept.digest}


def test_the_largest_seed_does_for_every_round(tmp_path):
    model, tokenizer = classifier("bert", 2)
    spec = BaselineSpec("imp", 0.5, 1, TrainSpec(rank=2, epochs=1, batch_size=8, seed=MAX_SEED))
    texts = datasets.load("demo-reviews", "calibration").sample(8, 0)
    adapters = baselines.train(model, tokenizer, lambda _: texts, spec, lambda n, _: Checkpoint(tmp_path / f"{n}.safetensors"), lambda _: lambda *_: None)
    assert sum(int((one.mask == 0).sum()) for one in adapters.values()) == sum(one.mask.numel() for one in adapters.values()) / 2
