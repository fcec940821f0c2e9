"""How many zeros every layer gets: the same share, single layers by name, or a budget spread so that the errors add up to least."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from transformers import PreTrainedModel

from robustprune.errors import SpecError
from robustprune.pruning import streams
from robustprune.pruning.adapt import Curvature
from robustprune.pruning.blocks import encoder_blocks, layer_name, linear_layers
from robustprune.pruning.moments import relative
from robustprune.pruning.observe import DenseBlock
from robustprune.pruning.solvers.sparsegpt import SparseGPT
from robustprune.pruning.stages import stages_of
from robustprune.spec import AUTO, MAX_SPARSITY, Pattern, PruneSpec

# Where a layer's error is measured, as multiples of the share of weights that are kept.
KEPT = (1.6, 1.25, 1.0, 0.8, 0.6)
DEFAULT_RIDGE = 1e-2
# (sparsity, relative error), by rising sparsity.
Curve = list[tuple[float, float]]


def patterns_for(model: PreTrainedModel, batches: Sequence[streams.Batch], calibration: int, spec: PruneSpec, tick: streams.Tick) -> dict[str, Pattern]:
    """The pattern of every linear layer by name. The first ``calibration`` batches may be looked at to find it.

    Raises:
        SpecError: the spec names a layer that the model has not, or its N:M pattern does not divide a layer's width.
    """
    layers = dict(linear_layers(model))
    if spec.pattern:
        pattern = Pattern.parse(spec.pattern)
        for name, layer in layers.items():
            if layer.in_features % pattern.bank:
                raise SpecError(f"The pattern {spec.pattern} does not fit {name}: its {layer.in_features} inputs are no multiple of {pattern.bank}.")
        return dict.fromkeys(layers, pattern)
    sparsities = named(spec.layer_sparsities, tuple(layers))
    if spec.allocation == "error" and spec.sparsity > 0:
        curves = error_curves(model, batches, calibration, spec, tick)
        sparsities = allocate(curves, {name: layer.weight.numel() for name, layer in layers.items()}, spec.sparsity)
    return {name: Pattern(sparsities.get(name, spec.sparsity), spec.scope) for name in layers}


def named(pairs: Sequence[tuple[str, float]], layers: Sequence[str]) -> dict[str, float]:
    """Sparsities by layer, of names that mean a layer or all layers below; the longest name counts."""
    found: dict[str, float] = {}
    for name, sparsity in sorted(pairs, key=lambda pair: len(pair[0])):
        meant = [layer for layer in layers if layer == name or layer.startswith(name + ".")]
        if not meant:
            raise SpecError(f"The model has no layer {name!r}. Its layers are {layers[0]} to {layers[-1]}; block.0 means all of a block.")
        found.update(dict.fromkeys(meant, sparsity))
    return found


@torch.no_grad()
def error_curves(model: PreTrainedModel, batches: Sequence[streams.Batch], calibration: int, spec: PruneSpec, tick: streams.Tick) -> dict[str, Curve]:
    """For every layer, relative errors at some sparsities, pruned on its own by SparseGPT in the dense model."""
    ridge = DEFAULT_RIDGE if spec.ridge == AUTO else spec.ridge
    points = sorted({min(max(1 - factor * (1 - spec.sparsity), 0.0), MAX_SPARSITY) for factor in KEPT})
    curves = {}
    for block in encoder_blocks(model):
        seen = DenseBlock(block, calibration, with_inputs=False, residual=False)
        after = streams.advance(block, batches, tick, seen.look)
        walk = streams.BlockWalk(block, stages_of(model), batches)
        for number, group in enumerate(block.groups):
            sample = seen.moments(number, walk, tick).fit
            curvature = Curvature.of(sample.inputs, ridge, centred=True)
            for name in group:
                weight, power = block.linear(name).weight.double(), sample.outputs[name].power
                curve = []
                for sparsity in points:
                    tick()
                    solution = SparseGPT().solve(curvature.problem(weight, None, Pattern(sparsity, spec.scope)), lambda _: None)
                    curve.append((sparsity, relative(solution.error, power)))
                curves[layer_name(block.index, name)] = curve
        batches = after
    return curves


def allocate(curves: Mapping[str, Curve], weights: Mapping[str, int], sparsity: float) -> dict[str, float]:
    """Sparsities by layer whose mean over all weights is ``sparsity``, and for which the errors add up to least.

    Between its measured points a layer's error is taken to run straight along their lower convex hull. Starting from the
    lowest sparsities, zeros go where they cost least error a weight until the budget is spent.

    Args:
        weights: number of weights of every layer.
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
    """The points of a curve that its lower convex hull runs through."""
    hull: Curve = []
    for point in sorted(curve):
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) >= _slope(hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _pieces(hull: Curve) -> list[tuple[float, float, float]]:
    """Slope, start and end of the straight pieces."""
    return [(_slope(a, b), a[0], b[0]) for a, b in pairwise(hull)]


def _slope(a: tuple[float, float], b: tuple[float, float]) -> float:
    return (b[1] - a[1]) / (b[0] - a[0])
