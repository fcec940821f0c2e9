"""Refits the pooler and the classifier to their inputs in the sparse model (Li et al. 2023, Eq. 5). These layers are not pruned.

The head gets one vector per text instead of one per token, so the least squares over-fit easily. Therefore the refits with every ridge
and the unchanged dense weight are compared on the held-out texts.
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
    """Returns the logits that the model computes from the output of its last block."""
    kind = model.config.model_type
    if kind == "bert":
        return model.classifier(model.bert.pooler(hidden))
    if kind == "distilbert":
        return model.classifier(torch.relu(model.pre_classifier(hidden[:, 0])))
    return model.classifier(hidden)


def check_held_out(texts: int) -> None:
    """Raises DataError if too few texts are held out to judge whether a refit helps. Call it before anything is pruned."""
    if texts < MIN_HELD_OUT:
        raise DataError("pruning.too_few_for_head", needed=MIN_HELD_OUT * 10, texts=texts)


def refit(
    dense: PreTrainedModel, sparse: PreTrainedModel, dense_last: Sequence[Batch], sparse_last: Sequence[Batch], fit_batches: int, tick: Callable[[], None]
) -> tuple[HeadReport, ...]:
    """Refits the head of ``sparse`` in place, layer by layer, wherever this reduces the error on the held-out batches.

    Args:
        dense_last, sparse_last: batches whose hidden states are the outputs of the last block, in the dense and in the sparse model.
        fit_batches: the number of batches for fitting. These are the first batches; the others are held out.
        tick: called before every batch; may raise Cancelled.

    Returns:
        One report per layer of the head.
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
    """Returns the adaptive dense weight (Eq. 5) and the bias that fits it."""
    fitted = Curvature.of(inputs, ridge, centred=True).problem(weight, outputs, Pattern(0.0)).target
    return fitted, outputs.mean - fitted @ inputs.mean


def _at(model: PreTrainedModel, name: str, last: Batch) -> tuple[Float[Tensor, "texts in"], Float[Tensor, "texts out"]]:
    """Returns the inputs and the outputs of a layer of the head."""
    seen: list[tuple[Tensor, Tensor]] = []
    with model.get_submodule(name).register_forward_hook(lambda _module, arguments, output: seen.append((arguments[0], output))):
        logits(model, last.hidden)
    return seen[0]
