"""The walk: what it changes, what it leaves alone, what it reports."""

import itertools

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from robustprune import inference
from robustprune.errors import Cancelled, DataError, ModelError
from robustprune.methods import METHODS
from robustprune.pruning import pipeline, streams
from robustprune.pruning.blocks import encoder_blocks, linear_layers
from robustprune.pruning.moments import Accumulator
from robustprune.pruning.stages import stages_of
from robustprune.spec import ADAPTIVE, PruneSpec
from tests.small_models import ALL_FAMILIES, TEXTS, classifier


def nothing(*_):
    pass


def prune(model, tokenizer, texts=TEXTS, watch=nothing, **settings):
    return pipeline.prune(model, tokenizer, texts, PruneSpec("small", **settings), watch)


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_every_family_prunes_to_the_exact_sparsity_and_saves(family, tmp_path):
    model, tokenizer = classifier(family)
    sparse, report = prune(model, tokenizer, sparsity=0.6)
    assert report.sparsity == pytest.approx(0.6, abs=1e-3)
    assert len(report.layers) == 12
    sparse.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert torch.allclose(inference.logits(loaded, tokenizer, TEXTS), inference.logits(sparse, tokenizer, TEXTS), atol=1e-5)


@pytest.mark.parametrize(("method", "adaptive"), itertools.product(METHODS, ADAPTIVE))
def test_only_encoder_weights_change_and_biases_only_when_fully_adaptive(method, adaptive):
    model, tokenizer = classifier()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    sparse, _ = prune(model, tokenizer, method=method, adaptive=adaptive)
    pruned = {f"{name}.{kind}" for name, module in sparse.named_modules() for kind in ("weight", "bias") for _, one in linear_layers(sparse) if module is one}
    for key, value in sparse.state_dict().items():
        assert torch.equal(model.state_dict()[key], before[key]), f"the dense model's {key} changed"
        may_change = key in pruned and (key.endswith("weight") or adaptive == "full")
        assert may_change or torch.equal(value, before[key]), key


@pytest.mark.parametrize("adaptive", ADAPTIVE)
def test_sparsity_zero_leaves_the_model_as_it_is(adaptive):
    model, tokenizer = classifier()
    sparse, report = prune(model, tokenizer, sparsity=0.0, adaptive=adaptive)
    assert all(torch.equal(value, model.state_dict()[key]) for key, value in sparse.state_dict().items())
    assert all(layer.total == pytest.approx(0, abs=1e-6) for layer in report.layers)


def test_adapting_leaves_less_error():
    model, tokenizer = classifier(seed=3)
    total = {level: sum(layer.total for layer in prune(model, tokenizer, sparsity=0.6, adaptive=level)[1].layers) for level in ADAPTIVE}
    assert total["full"] < total["hessian"]
    assert total["full"] < total["none"]


def test_the_report_adds_up():
    model, tokenizer = classifier()
    for layer in prune(model, tokenizer, sparsity=0.5)[1].layers:
        assert layer.total == pytest.approx(layer.inherited + layer.own)
        assert layer.own >= 0
        assert layer.inherited >= 0


def test_the_first_layers_inherit_nothing():
    model, tokenizer = classifier()
    layers = prune(model, tokenizer, sparsity=0.5)[1].layers
    assert all(layer.uncorrected == pytest.approx(0, abs=1e-6) for layer in layers[:3])
    assert layers[3].uncorrected > 0


def test_the_told_total_is_the_error_of_the_outputs():
    """The last layer's report against outputs that are computed again from the finished model."""
    model, tokenizer = classifier()
    sparse, report = prune(model, tokenizer, sparsity=0.5)
    fit = [text for i, text in enumerate(TEXTS) if i % pipeline.HELD_OUT_EVERY != pipeline.HELD_OUT_EVERY - 1]
    outputs = {}
    for name, one in (("dense", model), ("sparse", sparse)):
        batches = streams.block_inputs(one, tokenizer, fit, nothing)
        for block in encoder_blocks(one):
            last = {}
            batches = streams.advance(block, batches, nothing, lambda number, layer, x, y, last=last: last.setdefault(layer, []).append(y))
        outputs[name] = torch.cat(last["output.dense"]).double()
    power = ((outputs["dense"] - outputs["dense"].mean(0)) ** 2).sum()
    error = ((outputs["dense"] - outputs["sparse"]) ** 2).sum() / power
    assert float(error) == pytest.approx(report.layers[-1].total, rel=1e-3)


def group_moments(model, tokenizer, parts):
    """Moments of the second block's first group over texts that come in the given batches."""
    first, second = encoder_blocks(model)
    accumulator = Accumulator()
    for part in parts:
        batches = streams.advance(first, streams.block_inputs(model, tokenizer, part, nothing), nothing)
        for inputs in streams.BlockWalk(second, stages_of(model), batches).inputs(0):
            accumulator.add(inputs, {})
    return accumulator.inputs()


def test_padding_changes_nothing():
    model, tokenizer = classifier()
    assert len({len(tokenizer(text)["input_ids"]) for text in TEXTS}) > 1, "these texts need no padding"
    together, alone = group_moments(model, tokenizer, [TEXTS]), group_moments(model, tokenizer, [[text] for text in TEXTS])
    assert together.tokens == alone.tokens
    assert torch.allclose(together.hessian, alone.hessian, rtol=1e-4, atol=1e-3 * float(alone.hessian.abs().max()))


def test_the_same_spec_gives_the_same_model():
    model, tokenizer = classifier()
    first, second = (prune(model, tokenizer, sparsity=0.7)[0].state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_nan_stops_with_the_name_of_the_layer():
    model, tokenizer = classifier()
    encoder_blocks(model)[1].linear("attention.self.key").weight.data[0, 0] = float("nan")
    with pytest.raises(ModelError, match=r"block\.1\.attention\.self"):
        prune(model, tokenizer)


def test_too_few_texts_are_refused():
    model, tokenizer = classifier()
    with pytest.raises(DataError, match="at least 16"):
        prune(model, tokenizer, texts=TEXTS[:5])


@pytest.mark.parametrize("after", [0, 5, 11])
def test_cancel_is_heard_at_any_layer(after):
    model, tokenizer = classifier()

    def watch(done, total, layers):
        if len(layers) >= after:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        prune(model, tokenizer, watch=watch)
