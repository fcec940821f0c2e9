"""The walk: what it changes, what it leaves alone, what it reports."""

import itertools

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from robustprune.base.errors import Cancelled, DataError, ModelError, SpecError
from robustprune.models import inference
from robustprune.models.architectures import encoder_blocks, head_layers, linear_layers
from robustprune.pruning import head, pipeline, streams
from robustprune.pruning.adapt import Curvature
from robustprune.pruning.block_stages import stages_of
from robustprune.pruning.moments import Accumulator
from robustprune.specs.methods import METHODS
from robustprune.specs.prune import ADAPTIVE, RIDGES, PruneSpec
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


def last_layer(model, tokenizer, texts, module):
    """What arrives at a module of the last block, for all real tokens."""
    seen = []
    batches = streams.block_inputs(model, tokenizer, texts, nothing)
    for block in encoder_blocks(model):
        before, batches = batches, streams.advance(block, batches, nothing)
    with block.module.get_submodule(module).register_forward_hook(lambda _module, given, output: seen.append((given[0], output))):
        streams.advance(block, before, nothing)
    given, outputs = ([batch.real(rows) for batch, rows in zip(before, part, strict=True)] for part in zip(*seen, strict=True))
    return torch.cat(given).double(), torch.cat(outputs).double()


@pytest.mark.parametrize("residual", [False, True])
def test_the_told_total_is_the_error_of_the_outputs(residual):
    """The last layer's report against outputs that are computed again from the finished model: the layer's own, or with what is added to them."""
    model, tokenizer = classifier()
    sparse, report = prune(model, tokenizer, sparsity=0.5, residual=residual)
    fit, _ = pipeline.split(TEXTS)
    if residual:
        wanted, given = (last_layer(one, tokenizer, fit, "output.LayerNorm")[0] for one in (model, sparse))
    else:
        wanted, given = (last_layer(one, tokenizer, fit, "output.dense")[1] for one in (model, sparse))
    outputs = last_layer(model, tokenizer, fit, "output.dense")[1]
    power = (outputs - outputs.mean(0)).square().sum()
    assert float((wanted - given).square().sum() / power) == pytest.approx(report.layers[-1].total, rel=1e-3)


def test_making_up_for_the_residual_path_brings_the_blocks_closer():
    model, tokenizer = classifier(seed=3)
    apart = {}
    for residual in (False, True):
        sparse, _ = prune(model, tokenizer, sparsity=0.7, residual=residual)
        wanted, given = (last_layer(one, tokenizer, TEXTS, "output.LayerNorm")[0] for one in (model, sparse))
        apart[residual] = float((wanted - given).square().sum())
    assert apart[True] < 0.95 * apart[False]


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_the_stages_of_a_block_make_up_the_block(family):
    model, tokenizer = classifier(family)
    batches = streams.block_inputs(model, tokenizer, TEXTS, nothing)
    for block in encoder_blocks(model):
        walk = streams.BlockWalk(block, stages_of(model), batches)
        seen = {}
        whole = streams.advance(block, batches, nothing, lambda number, group, x, outputs, seen=seen: seen.setdefault(group, []).append(x))
        for number, group in enumerate(block.groups):
            for inputs, expected in zip(walk.inputs(number), seen[group], strict=True):
                assert torch.allclose(inputs, expected, atol=1e-6), group
        batches = walk.outputs(nothing)
        assert all(torch.allclose(one.hidden, other.hidden, atol=1e-5) for one, other in zip(batches, whole, strict=True))


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_the_head_makes_the_logits(family):
    model, tokenizer = classifier(family)
    batches = streams.block_inputs(model, tokenizer, TEXTS, nothing)
    for block in encoder_blocks(model):
        batches = streams.advance(block, batches, nothing)
    told = torch.cat([head.logits(model, batch.hidden) for batch in batches])
    assert torch.allclose(told.sort(0).values, inference.logits(model, tokenizer, TEXTS).sort(0).values, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pattern", ["2:4", "4:8", "32:64", "3:16"])
def test_a_pattern_is_kept_in_every_bank_of_every_layer(method, pattern):
    if pattern == "32:64":
        model, tokenizer = classifier(hidden_size=64, intermediate_size=128)
    else:
        model, tokenizer = classifier()
    keep, bank = map(int, pattern.split(":"))
    sparse, report = prune(model, tokenizer, method=method, pattern=pattern)
    assert report.sparsity == pytest.approx(1 - keep / bank)
    for name, layer in linear_layers(sparse):
        assert ((layer.weight != 0).reshape(-1, bank).sum(1) == keep).all(), name


def test_a_pattern_that_does_not_divide_a_layer_is_refused_by_name():
    model, tokenizer = classifier()
    with pytest.raises(SpecError, match=r"5:7 does not fit block\.0\.attention\.self\.query: its 32 inputs"):
        prune(model, tokenizer, pattern="5:7")


def test_single_layers_can_have_sparsities_of_their_own():
    model, tokenizer = classifier()
    _, report = prune(model, tokenizer, sparsity=0.5, layer_sparsities={"block.0": 0.25, "block.0.output.dense": 0.0, "block.1.attention": 0.75})
    for layer in report.layers:
        expected = 0.0 if layer.name == "block.0.output.dense" else 0.25 if layer.name.startswith("block.0") else 0.75 if "attention" in layer.name else 0.5
        assert layer.sparsity == pytest.approx(expected, abs=1e-3), layer.name


def test_an_unknown_layer_is_refused_by_name():
    model, tokenizer = classifier()
    with pytest.raises(SpecError, match=r"no layer 'block\.7'"):
        prune(model, tokenizer, layer_sparsities={"block.7": 0.5})


def test_the_allocation_by_error_meets_the_budget_and_lowers_the_error():
    model, tokenizer = classifier(seed=3)
    encoder_blocks(model)[0].linear("output.dense").weight.data[4:] *= 1e-3  # a layer that can do without most of its weights
    uniform, spread = (prune(model, tokenizer, sparsity=0.6, adaptive="none", allocation=one)[1] for one in ("uniform", "error"))
    assert spread.sparsity == pytest.approx(0.6, abs=1e-3)
    assert len({layer.sparsity for layer in spread.layers}) > 1
    assert sum(layer.solver for layer in spread.layers) < 0.95 * sum(layer.solver for layer in uniform.layers)


@pytest.mark.parametrize("adaptive", ADAPTIVE)
def test_a_chosen_ridge_is_the_best_on_held_out_texts(adaptive):
    """Of the first group, pruned by the solver that the choice is made with: there no layer before has been changed."""
    model, tokenizer = classifier(seed=3)

    def first(ridge):
        return prune(model, tokenizer, sparsity=0.6, method="sparsegpt", adaptive=adaptive, ridge=ridge)[1].layers[:3]

    held_out = {ridge: sum(layer.held_out for layer in first(ridge)) for ridge in RIDGES}
    assert len({round(error, 12) for error in held_out.values()}) > 1
    assert {layer.ridge for layer in first("auto")} == {min(held_out, key=held_out.__getitem__)}


@pytest.mark.parametrize("adaptive", ADAPTIVE)
def test_each_level_of_adapting_takes_its_own_hessian(adaptive, monkeypatch):
    """``none`` from the dense stream, the others from the sparse one; centred only where the bias is refitted."""
    problems = []
    original = Curvature.problem
    monkeypatch.setattr(Curvature, "problem", lambda self, *arguments: problems.append(original(self, *arguments)) or problems[-1])
    model, tokenizer = classifier()
    sparse, _ = prune(model, tokenizer, method="magnitude", adaptive=adaptive, residual=False)
    one, fit = model if adaptive == "none" else sparse, pipeline.split(TEXTS)[0]
    x = last_layer(one, tokenizer, fit, "output.dense")[0]
    if adaptive == "full":
        x = x - x.mean(0)
    moments = x.T @ x
    expected = moments + 0.01 * moments.diagonal().mean() * torch.eye(len(moments), dtype=torch.float64)
    assert torch.allclose(problems[-1].hessian, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_nan_is_named_where_the_errors_are_measured_beforehand_and_in_the_head():
    model, tokenizer = classifier()
    encoder_blocks(model)[1].linear("output.dense").weight.data[0, 0] = float("nan")
    with pytest.raises(ModelError, match=r"block\.1\.output"):
        prune(model, tokenizer, allocation="error")
    model, tokenizer = classifier()
    model.bert.pooler.dense.weight.data[0, 0] = float("nan")
    with pytest.raises(ModelError, match="classifier"):
        prune(model, tokenizer, texts=TEXTS * 4, refit_head=True)


def test_a_head_is_not_refitted_from_too_few_texts():
    model, tokenizer = classifier()
    with pytest.raises(DataError, match="at least 80 calibration texts"):
        prune(model, tokenizer, texts=TEXTS[:20], refit_head=True, watch=lambda *_: pytest.fail("this is known before anything runs"))


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_the_head_is_refitted_only_where_held_out_texts_say_that_it_helps(family):
    model, tokenizer = classifier(family, seed=1)
    texts = [f"{text} {ending}" for text in TEXTS for ending in ("indeed", "or so they say", "and long", "again and again")]
    kept, _ = prune(model, tokenizer, texts=texts, sparsity=0.9)
    sparse, report = prune(model, tokenizer, texts=texts, sparsity=0.9, refit_head=True)
    assert any(one.ridge for one in report.head), "the refit of some layer should help here"
    assert [layer.name for layer in report.head] == [name for name, _ in head_layers(model)]
    for one in report.head:
        changed = not torch.equal(sparse.get_submodule(one.name).weight, kept.get_submodule(one.name).weight)
        assert changed == (one.ridge is not None)
        assert (one.after < one.before) == changed


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

    def watch(done, total, doing, layers):
        if len(layers) >= after:
            raise Cancelled("base.cancelled")

    with pytest.raises(Cancelled):
        prune(model, tokenizer, watch=watch)
