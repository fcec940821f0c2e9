"""Pooler and classifier, which are not pruned, refitted to what the sparse model feeds them (Li et al. 2023, Eq. 5).

There is one vector a text instead of one a token, so the least squares over-fits easily: every ridge, and the dense weight as it is,
are compared on the texts kept from calibration.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from robustprune.base.errors import DataError
from robustprune.models.architectures import head_layers
from robustprune.pruning.adapt import Curvature
from robustprune.pruning.faults import check_finite, naming
from robustprune.pruning.moments import Accumulator, InputMoments, OutputMoments
from robustprune.pruning.report import HeadReport
from robustprune.pruning.streams import Batch
from robustprune.specs.prune import RIDGES, Pattern

MIN_HELD_OUT = 8


@torch.inference_mode()
def logits(model: PreTrainedModel, hidden: Float[Tensor, "texts positions hidden"]) -> Float[Tensor, "texts labels"]:
    """What the model makes of its last block's output."""
    kind = model.config.model_type
    if kind == "bert":
        return model.classifier(model.bert.pooler(hidden))
    if kind == "distilbert":
        return model.classifier(torch.relu(model.pre_classifier(hidden[:, 0])))
    return model.classifier(hidden)


def check_held_out(texts: int) -> None:
    """Raises DataError if so few texts are held out that they could not tell whether a refit helps. For before anything is pruned."""
    if texts < MIN_HELD_OUT:
        raise DataError("pruning.too_few_for_head", needed=MIN_HELD_OUT * 10, texts=texts)


def refit(
    dense: PreTrainedModel, sparse: PreTrainedModel, dense_last: Sequence[Batch], sparse_last: Sequence[Batch], fit_batches: int, tick: Callable[[], None]
) -> tuple[HeadReport, ...]:
    """Refits the head of ``sparse`` in place, one layer after the other, where that helps on the held-out batches; says what it did.

    Args:
        dense_last, sparse_last: batches whose hidden states are the last block's outputs.
        fit_batches: how many of them, the first ones, are for fitting; the others are held out.
    """
    reports = []
    for name, layer in head_layers(sparse):
        sums = {True: Accumulator(), False: Accumulator()}
        for number, (wanted, given) in enumerate(zip(dense_last, sparse_last, strict=True)):
            tick()
            _, outputs = _at(dense, name, wanted)
            inputs, _ = _at(sparse, name, given)
            sums[number < fit_batches].add(inputs, {name: outputs})
        with naming(name):
            reports.append(_refit_layer(name, layer, sums))
    return tuple(reports)


def _refit_layer(name: str, layer: nn.Linear, sums: dict[bool, Accumulator]) -> HeadReport:
    inputs, outputs = sums[True].inputs(), sums[True].outputs(name)
    held_inputs, held_outputs = sums[False].inputs(), sums[False].outputs(name)
    check_finite("inputs", inputs.hessian)
    weight, bias = layer.weight.double(), layer.bias.double()
    before = held_outputs.error_of(weight, bias, held_inputs)
    best = HeadReport(name, None, before, before)
    for ridge in RIDGES:
        new_weight, new_bias = _fitted(weight, inputs, outputs, ridge)
        after = held_outputs.error_of(new_weight, new_bias, held_inputs)
        if after < best.after:
            best = HeadReport(name, ridge, before, after)
            layer.weight.data.copy_(new_weight)
            layer.bias.data.copy_(new_bias)
    return best


def _fitted(
    weight: Float[Tensor, "out in"], inputs: InputMoments, outputs: OutputMoments, ridge: float
) -> tuple[Float[Tensor, "out in"], Float[Tensor, " out"]]:
    """The adaptive dense weight and its bias."""
    fitted = Curvature.of(inputs, ridge, centred=True).problem(weight, outputs, Pattern(0.0)).target
    return fitted, outputs.mean - fitted @ inputs.mean


def _at(model: PreTrainedModel, name: str, last: Batch) -> tuple[Float[Tensor, "texts in"], Float[Tensor, "texts out"]]:
    """What a layer of the head gets and gives."""
    seen: list[tuple[Tensor, Tensor]] = []
    with model.get_submodule(name).register_forward_hook(lambda _module, arguments, output: seen.append((arguments[0], output))):
        logits(model, last.hidden)
    return seen[0]
