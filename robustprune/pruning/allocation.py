"""Decides the sparsity of every layer.

There are three ways: one sparsity for all layers, sparsities of single layers by name, or a budget of zeros that is distributed over the
layers so that the sum of their errors is as small as possible.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedModel

from robustprune.base.errors import SpecError
from robustprune.base.progress import Tick
from robustprune.models.architectures import encoder_blocks, layer_name, linear_layers
from robustprune.pruning import streams
from robustprune.pruning.adapt import Curvature
from robustprune.pruning.faults import check_finite, naming
from robustprune.pruning.moments import Accumulator, Power, relative
from robustprune.pruning.solvers.sparsegpt import SparseGPT
from robustprune.specs.prune import AUTO, MAX_SPARSITY, Pattern, PruneSpec

# The error of a layer is measured at these multiples of the share of kept weights that the spec asks for.
KEPT = (1.6, 1.25, 1.0, 0.8, 0.6)
# Points (sparsity, relative error), in the order of increasing sparsity.
Curve = list[tuple[float, float]]


def patterns_for(model: PreTrainedModel, batches: Sequence[streams.Batch], spec: PruneSpec, tick: Tick) -> dict[str, Pattern]:
    """Returns the pattern of every linear layer by name.

    Args:
        batches: the inputs of the first block. They are used only if the allocation depends on the errors of the layers.

    Raises:
        SpecError: the spec names a layer that the model does not have, or the M of its N:M pattern does not divide the width of a layer.
    """
    layers = dict(linear_layers(model))
    if spec.pattern:
        pattern = Pattern.parse(spec.pattern)
        for name, layer in layers.items():
            if layer.in_features % pattern.bank:
                raise SpecError("pruning.pattern_does_not_fit", pattern=spec.pattern, name=name, inputs=layer.in_features, bank=pattern.bank)
        return dict.fromkeys(layers, pattern)
    sparsities = named(spec.layer_sparsities, tuple(layers))
    if spec.allocation == "error" and spec.sparsity > 0:
        curves = error_curves(model, batches, spec, tick)
        sparsities = allocate(curves, {name: layer.weight.numel() for name, layer in layers.items()}, spec.sparsity)
    return {name: Pattern(sparsities.get(name, spec.sparsity), spec.scope) for name in layers}


def named(pairs: Sequence[tuple[str, float]], layers: Sequence[str]) -> dict[str, float]:
    """Returns sparsities by layer, given pairs of a name and a sparsity.

    A name stands for one layer or for all layers below it, such as the layers of a block. If several names match a layer, the longest
    name counts.

    Raises:
        SpecError: no layer matches a name.
    """
    found: dict[str, float] = {}
    for name, sparsity in sorted(pairs, key=lambda pair: len(pair[0])):
        meant = [layer for layer in layers if layer == name or layer.startswith(name + ".")]
        if not meant:
            raise SpecError("pruning.no_such_layer", name=name, first=layers[0], last=layers[-1])
        found.update(dict.fromkeys(meant, sparsity))
    return found


@torch.no_grad()
def error_curves(model: PreTrainedModel, batches: Sequence[streams.Batch], spec: PruneSpec, tick: Tick) -> dict[str, Curve]:
    """Returns the relative errors of every layer at several sparsities. SparseGPT prunes each layer alone, in the dense model."""
    ridge = PruneSpec.ridge if spec.ridge == AUTO else spec.ridge
    points = sorted({min(max(1 - factor * (1 - spec.sparsity), 0.0), MAX_SPARSITY) for factor in KEPT})
    blocks, curves = encoder_blocks(model), {}
    for block in blocks:

        def part(_done: float = 0.0, share: float = block.index / len(blocks)) -> None:
            tick(share)

        inputs: dict[tuple[str, ...], Accumulator] = {}
        powers: dict[str, Power] = {}

        def look(_batch: int, group: tuple[str, ...], x: Tensor, outputs: dict[str, Tensor], inputs: dict = inputs, powers: dict = powers) -> None:
            inputs.setdefault(group, Accumulator()).add(x, {})
            for name, y in outputs.items():
                if name not in powers:
                    powers[name] = Power(y)
                powers[name].add(y)

        batches = streams.advance(block, batches, part, look)
        for group in block.groups:
            with naming(layer_name(block.index, group[0])):
                curvature = Curvature.of(inputs[group].inputs(), ridge, centred=True)
                for name in group:
                    curve = _errors(curvature, block.linear(name).weight.double(), [Pattern(point, spec.scope) for point in points], part)
                    power = powers[name].total()
                    curves[layer_name(block.index, name)] = [(point, relative(error, power)) for point, error in zip(points, curve, strict=True)]
    return curves


def _errors(curvature: Curvature, weight: Float[Tensor, "out in"], patterns: Sequence[Pattern], tick: Tick) -> list[float]:
    check_finite("weights", weight)
    return [SparseGPT().solve(curvature.problem(weight, None, pattern), tick).error for pattern in patterns]


def allocate(curves: Mapping[str, Curve], weights: Mapping[str, int], sparsity: float) -> dict[str, float]:
    """Returns sparsities by layer, with mean ``sparsity`` over all weights, that make the sum of the layers' errors as small as possible.

    Between measured points, the error of a layer is assumed to follow the lower convex hull of the points in straight lines. The
    allocation starts from the lowest sparsity of every layer. It then adds zeros where they increase the error least per weight, until
    the budget is spent.

    Args:
        curves: measured points of every layer.
        weights: number of weights of every layer.
        sparsity: share of zeros over all layers together.
    """
    hulls = {name: lower_hull(curve) for name, curve in curves.items()}
    result = {name: hull[0][0] for name, hull in hulls.items()}
    left = sum(weights[name] * (sparsity - result[name]) for name in hulls)
    pieces = [(slope / weights[name], name, end - start) for name, hull in hulls.items() for slope, start, end in _pieces(hull)]
    for _, name, width in sorted(pieces):
        taken = min(width, left / weights[name])
        result[name] += taken
        left -= taken * weights[name]
        if left <= 0:
            break
    return result


def lower_hull(curve: Curve) -> Curve:
    """Returns the points of a curve that lie on its lower convex hull."""
    hull: Curve = []
    for point in sorted(curve):
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) >= _slope(hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _pieces(hull: Curve) -> list[tuple[float, float, float]]:
    """Returns slope, start and end (both sparsities) of the straight pieces of a hull."""
    return [(_slope(a, b), a[0], b[0]) for a, b in pairwise(hull)]


def _slope(a: tuple[float, float], b: tuple[float, float]) -> float:
    return (b[1] - a[1]) / (b[0] - a[0])
