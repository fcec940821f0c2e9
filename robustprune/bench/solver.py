"""``bench solver``: compares the solvers with each other and with the textbook algorithm, in their errors and in their time.

Each layer of a model is pruned alone, with dense inputs, target W and a ridge of 1e-4 (the damping of the paper). So the comparison depends
on the solvers and nothing else.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from robustprune.bench.textbook import optimal_brain_surgeon
from robustprune.models import loading, sources
from robustprune.models.architectures import encoder_blocks, layer_name
from robustprune.pruning import streams
from robustprune.pruning.adapt import Curvature
from robustprune.pruning.moments import Accumulator
from robustprune.pruning.problem import LayerProblem, LayerSolution
from robustprune.pruning.solvers import obs, solver
from robustprune.specs.methods import METHODS
from robustprune.specs.prune import Pattern
from robustprune.texts import datasets

SPARSITIES = (0.5, 0.875)
RIDGE = 1e-4
TEXTS = 512
REPEATS = 3
# The largest relative difference between two results of the same algorithm in float64 that counts as equal.
SAME = 1e-4

Tell = Callable[[str], None]


@dataclass(frozen=True)
class _Layer:
    name: str
    weight: torch.Tensor
    curvature: Curvature

    def problem(self, pattern: Pattern) -> LayerProblem:
        """Returns the problem of the layer. Its target is the weight itself, because there is no error to correct."""
        return self.curvature.problem(self.weight, None, pattern)


def measure(model: str, dataset: str | None, tell: Tell) -> dict[str, Any]:
    """Measures ratios of errors and of times. ``tell`` gets the lines of a table as soon as they are measured.

    Among the entries of the result:

    - ``admm_over_obs_error``: ratio of errors with scope ``row``, mean over the square layers, for the worse of the two sparsities.
    - ``admm_over_sparsegpt_error``: ratio of errors with scope ``layer``, mean over all layers, at 50 % sparsity.
    - ``textbook_over_*_seconds``: ratio of times on one square layer, for the worse of the two sparsities.
    """
    source = sources.find(model)
    texts = datasets.load(dataset or datasets.default_for(source.dataset), "calibration").sample(TEXTS, 0)
    tell(f"{len(texts)} texts of {texts.dataset}, ridge {RIDGE:g}")
    layers = list(_layers(loading.load(source), list(texts.texts)))
    square = [layer for layer in layers if layer.weight.shape[0] == layer.weight.shape[1]]
    timed = square[len(square) // 2]  # any square layer will do, because all have the same size
    by_row = {sparsity: _compare(square, Pattern(sparsity, "row"), ("admm", "obs"), tell) for sparsity in SPARSITIES}
    by_layer = {sparsity: _compare(layers, Pattern(sparsity), ("admm", "sparsegpt"), tell) for sparsity in SPARSITIES}
    times = {sparsity: _race(timed, sparsity, tell) for sparsity in SPARSITIES}
    return {
        "dataset": texts.dataset,
        "texts": len(texts),
        "admm_over_obs_error": max(by_row.values()),
        "admm_over_sparsegpt_error": by_layer[0.5],
        "textbook_over_admm_seconds": min(row["textbook_over_admm"] for row in times.values()),
        "textbook_over_obs_seconds": min(row["textbook_over_obs"] for row in times.values()),
        "obs_equals_textbook": all(row["same"] for row in times.values()),
        "by_sparsity": {
            f"{sparsity:g}": {"admm_over_obs_error": by_row[sparsity], "admm_over_sparsegpt_error": by_layer[sparsity], **times[sparsity]}
            for sparsity in SPARSITIES
        },
        "methods": _methods(timed, tell),
    }


@torch.no_grad()
def _layers(classifier: loading.Classifier, texts: list[str]) -> Iterator[_Layer]:
    """Yields all layers, each with the Hessian of its dense inputs."""
    batches = streams.block_inputs(classifier.model, classifier.tokenizer, texts, lambda: None)
    for block in encoder_blocks(classifier.model):
        sums = {group: Accumulator() for group in block.groups}

        def look(_batch: int, group: tuple[str, ...], x: torch.Tensor, _outputs: dict[str, torch.Tensor], sums: dict = sums) -> None:
            sums[group].add(x, {})

        batches = streams.advance(block, batches, lambda: None, look)
        for group in block.groups:
            curvature = Curvature.of(sums[group].inputs(), RIDGE, centred=False)
            for name in group:
                yield _Layer(layer_name(block.index, name), block.linear(name).weight.double(), curvature)


def _compare(layers: list[_Layer], pattern: Pattern, methods: tuple[str, str], tell: Tell) -> float:
    """Returns the mean over layers of the ratio: error of the first method divided by error of the second method."""
    ratios = []
    for layer in layers:
        problem = layer.problem(pattern)
        first, second = (_solve(method, problem).error for method in methods)
        ratios.append(first / second)
    mean = statistics.mean(ratios)
    tell(
        f"{methods[0]} over {methods[1]}, error by {pattern.scope} at {pattern.sparsity:.1%}, {len(layers)} layers: "
        f"mean {mean:.4f}, from {min(ratios):.4f} to {max(ratios):.4f}"
    )
    return mean


def _race(layer: _Layer, sparsity: float, tell: Tell) -> dict[str, Any]:
    """Measures the seconds of the textbook loop (one run) and of admm and obs (medians of several runs), with scope ``row``.

    Also compares the result of obs with the result of the textbook loop.
    """
    problem = layer.problem(Pattern(sparsity, "row"))
    started = time.perf_counter()
    expected = optimal_brain_surgeon(problem.target, problem.hessian, obs.removals(problem.pattern, layer.weight.shape[1]))
    textbook = time.perf_counter() - started
    seconds = {method: statistics.median(_seconds(method, layer, problem.pattern) for _ in range(REPEATS)) for method in ("admm", "obs")}
    found = _solve("obs", problem)
    apart = float((found.weight - expected).abs().max() / expected.abs().max())
    same = bool(torch.equal(found.mask, expected != 0)) and apart <= SAME
    tell(
        f"{layer.name} at {sparsity:.1%}: textbook {textbook:.2f} s, obs {seconds['obs']:.3f} s ({textbook / seconds['obs']:.1f} x), "
        f"admm {seconds['admm']:.3f} s ({textbook / seconds['admm']:.1f} x); obs "
        f"{'equals' if same else 'DIFFERS FROM'} the textbook ({apart:.1e} apart)"
    )
    ratios = {f"textbook_over_{method}": textbook / value for method, value in seconds.items()}
    return {"textbook_seconds": textbook, **{f"{method}_seconds": value for method, value in seconds.items()}, **ratios, "same": same, "apart": apart}


def _methods(layer: _Layer, tell: Tell) -> list[dict[str, Any]]:
    """Measures the relative error and the seconds of every method on one layer, each with its own default scope."""
    rows = []
    for sparsity in SPARSITIES:
        for name, method in METHODS.items():
            pattern = Pattern(sparsity, method.scope)
            problem = layer.problem(pattern)
            error = _solve(name, problem).error / problem.error_of(torch.zeros_like(layer.weight))
            seconds = statistics.median(_seconds(name, layer, pattern) for _ in range(REPEATS))
            rows.append({"layer": layer.name, "method": name, "scope": method.scope, "sparsity": sparsity, "error": error, "seconds": seconds})
            tell(f"{layer.name} at {sparsity:.1%}, {name:9} by {method.scope:5}: error {error:.4f}, {seconds:.3f} s")
    return rows


def _seconds(method: str, layer: _Layer, pattern: Pattern) -> float:
    """Returns the seconds of one solution from scratch, including the factorisations."""
    problem = LayerProblem(layer.weight, layer.weight, layer.curvature.factors.matrix, layer.curvature.input_norm, pattern)
    started = time.perf_counter()
    _solve(method, problem)
    return time.perf_counter() - started


def _solve(method: str, problem: LayerProblem) -> LayerSolution:
    return solver(method).solve(problem, lambda _fraction: None)
