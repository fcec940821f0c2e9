"""The stopwatch: it measures all variants in turns, and sparse kernels compute what dense ones do. Nothing here depends on how fast."""

import json
import warnings

import pytest
import torch

from robustprune.base.errors import Cancelled, SpecError
from robustprune.models import inference, latency, sparse_kernels
from robustprune.models.architectures import linear_layers
from tests.small_models import ALL_FAMILIES, TEXTS, classifier


def nothing(*_):
    pass


def pruned(family="bert", sparsity=0.5):
    """A classifier with random biases, random weights of every pruned layer set to zero, and its tokenizer."""
    model, tokenizer = classifier(family)
    for _, layer in linear_layers(model):
        layer.bias.data += torch.randn_like(layer.bias)
        layer.weight.data *= torch.rand_like(layer.weight) >= sparsity
    return model, tokenizer


def passes(model, log, name):
    """Notes every pass of a model's encoder in the log."""
    model.register_forward_hook(lambda *_: log.append(name))
    return model


@pytest.mark.parametrize("family", ALL_FAMILIES)
@pytest.mark.parametrize("sparsity", [0.0, 0.5, 1.0])
def test_sparse_kernels_give_the_same_logits(family, sparsity):
    model, tokenizer = pruned(family, sparsity)
    dense, sparse = (inference.logits(one, tokenizer, TEXTS) for one in (model, sparse_kernels.with_sparse_kernels(model)))
    assert torch.allclose(sparse, dense, atol=1e-4)


def test_sparse_kernels_leave_the_model_as_it_is():
    model, _ = pruned()
    sparse = sparse_kernels.with_sparse_kernels(model)
    assert all(isinstance(layer, torch.nn.Linear) for _, layer in linear_layers(model))
    assert all(layer.weight.layout == torch.sparse_csr for _, layer in linear_layers(sparse))


def test_sparse_kernels_hold_no_zeros():
    model, _ = pruned()
    dense, sparse = dict(linear_layers(model)), dict(linear_layers(sparse_kernels.with_sparse_kernels(model)))
    assert all(sparse[name].weight.values().numel() == layer.weight.count_nonzero() for name, layer in dense.items())


def test_making_sparse_kernels_warns_of_nothing():
    torch.set_warn_always(True)  # else PyTorch warns once a process, which an earlier test may have used up
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            sparse_kernels.with_sparse_kernels(pruned()[0])
    finally:
        torch.set_warn_always(False)


@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_every_variant_is_reported_in_the_order_given(batch_size):
    model, tokenizer = pruned()
    variants = {"dense": classifier()[0], "pruned": model, "sparse kernels": sparse_kernels.with_sparse_kernels(model)}
    report = latency.measure(variants, tokenizer, TEXTS, nothing, batch_size=batch_size, rounds=3)
    assert [one.name for one in report.latencies] == list(variants)
    assert all(0 < one.low_ms <= one.median_ms <= one.high_ms for one in report.latencies)
    assert (report.batch_size, report.texts, report.rounds, report.device) == (batch_size, len(TEXTS), 3, "cpu")
    assert report.threads == torch.get_num_threads()


def test_variants_of_several_families_are_measured_together():
    variants = {family: classifier(family)[0] for family in ALL_FAMILIES}
    report = latency.measure(variants, classifier()[1], TEXTS[:2], nothing, rounds=1)
    assert [one.name for one in report.latencies] == list(variants)


def test_the_report_is_json():
    model, tokenizer = classifier()
    report = latency.measure({"dense": model}, tokenizer, TEXTS[:2], nothing, rounds=1)
    assert json.loads(json.dumps(report.to_json()))["latencies"][0]["name"] == "dense"


def test_variants_take_turns_and_each_round_begins_with_another():
    log, tokenizer = [], classifier()[1]
    variants = {name: passes(classifier()[0], log, name) for name in "abc"}
    latency.measure(variants, tokenizer, TEXTS[:1], nothing, rounds=3)
    assert "".join(log) == "abc" + "bca" + "cab" + "abc", "a round to warm up and three that count"


def test_every_pass_reads_all_texts_in_batches():
    log, (model, tokenizer) = [], classifier()
    model.register_forward_pre_hook(lambda _module, _arguments, keywords: log.append(len(keywords["input_ids"])), with_kwargs=True)
    latency.measure({"dense": model}, tokenizer, TEXTS[:7], nothing, batch_size=3, rounds=2)
    assert log == [3, 3, 1] * 3


def test_percentiles_are_of_milliseconds_a_text_without_the_first_pass():
    result = latency._latency("a", [9.0, 0.004, 0.002, 0.006], texts=2)
    assert (result.low_ms, result.median_ms, result.high_ms) == pytest.approx((1.2, 2.0, 2.8))


def test_progress_ends_at_its_total():
    seen, (model, tokenizer) = [], classifier()
    latency.measure({"a": model, "b": model}, tokenizer, TEXTS[:1], lambda *step: seen.append(step), rounds=2)
    assert seen == [(done, 6) for done in range(1, 7)]


@pytest.mark.parametrize("after", [1, 3, 6])
def test_cancel_is_heard_after_any_pass(after):
    log, (model, tokenizer) = [], classifier()
    passes(model, log, "a")

    def watch(done, total):
        if done == after:
            raise Cancelled("base.cancelled")

    with pytest.raises(Cancelled):
        latency.measure({"a": model, "b": model}, tokenizer, TEXTS[:1], watch, rounds=2)
    assert len(log) == after


@pytest.mark.parametrize("wrong", [{"variants": {}}, {"texts": []}, {"batch_size": 0}, {"rounds": 0}])
def test_nothing_to_measure_is_refused(wrong):
    model, tokenizer = classifier()
    with pytest.raises(SpecError, match="at least one"):
        latency.measure(**{"variants": {"a": model}, "tokenizer": tokenizer, "texts": TEXTS, "watch": nothing, **wrong})
