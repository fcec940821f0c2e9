"""The walk through the blocks: moments, problem, solver, write, step on (Li et al. 2023, Alg. 1 and 2)."""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from robustprune.errors import DataError, ModelError
from robustprune.pruning import linalg, patterns, streams
from robustprune.pruning.blocks import Block, encoder_blocks, layer_name, linear_layers
from robustprune.pruning.moments import Accumulator, InputMoments, OutputMoments, relative
from robustprune.pruning.problem import LayerProblem, LayerSolution, Solver
from robustprune.pruning.report import LayerReport, PruneReport
from robustprune.pruning.solvers import SOLVERS
from robustprune.spec import PruneSpec

# Called with the layers done (a fraction while one is worked on), the number of layers, and the reports so far. May raise Cancelled.
Watch = Callable[[float, int, Sequence[LayerReport]], None]

HELD_OUT_EVERY = 10
MIN_TEXTS = 16


@dataclass(frozen=True)
class _Step:
    """One block: its dense and its sparse form, what the dense one gave at each linear layer, and the sparse one's inputs.

    The first ``calibration`` batches are for calibration, the others are held out.
    """

    dense: Block
    sparse: Block
    seen: list[streams.Seen]
    batches: list[streams.Batch]
    calibration: int


@dataclass(frozen=True)
class _GroupMoments:
    """What a group's layers see: inputs in the sparse model and the dense outputs wanted for them, for calibration and held out;
    and the dense model's own inputs where the spec asks for these."""

    fit: Accumulator
    held_out: Accumulator
    dense_inputs: InputMoments | None


@torch.no_grad()
def prune(
    dense: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], spec: PruneSpec, watch: Watch
) -> tuple[PreTrainedModel, PruneReport]:
    """A pruned copy of ``dense``, and the report. The dense model is not changed.

    Every tenth text is kept from calibration, to see how far the errors hold on texts that no layer was fitted to.

    Raises:
        DataError: fewer than 16 texts.
        ModelError: a layer's inputs or weights hold NaN or Inf; the message names the layer.
        Cancelled: ``watch`` raised it.
    """
    if len(texts) < MIN_TEXTS:
        raise DataError(f"Pruning needs at least {MIN_TEXTS} calibration texts; there are {len(texts)}.")
    started = time.perf_counter()
    sparse = copy.deepcopy(dense)
    walk = _Walk(spec, len(list(linear_layers(dense))), watch)
    fit = [text for i, text in enumerate(texts) if i % HELD_OUT_EVERY != HELD_OUT_EVERY - 1]
    held_out = [text for i, text in enumerate(texts) if i % HELD_OUT_EVERY == HELD_OUT_EVERY - 1]
    fit_batches, held_out_batches = (streams.block_inputs(dense, tokenizer, part, walk.tick) for part in (fit, held_out))
    dense_stream = sparse_stream = fit_batches + held_out_batches
    tokens = sum(int(batch.real.sum()) for batch in fit_batches)
    for dense_block, sparse_block in zip(encoder_blocks(dense), encoder_blocks(sparse), strict=True):
        dense_stream, seen = streams.advance_and_see(dense_block, dense_stream, walk.tick, inputs_too=spec.adaptive == "none")
        step = _Step(dense_block, sparse_block, seen, sparse_stream, len(fit_batches))
        for group in dense_block.groups:
            walk.prune_group(step, group)
        sparse_stream = streams.advance(sparse_block, sparse_stream, walk.tick)
    report = PruneReport(tuple(walk.reports), achieved_sparsity(sparse), len(fit), len(held_out), tokens, time.perf_counter() - started)
    return sparse, report


def achieved_sparsity(model: PreTrainedModel) -> float:
    """The exact share of zeros over a model's pruned linear layers."""
    weights = [layer.weight for _, layer in linear_layers(model)]
    return sum(int((weight == 0).sum()) for weight in weights) / sum(weight.numel() for weight in weights)


class _Walk:
    """The state of one walk: what is done so far, and whether any layer has been changed yet."""

    def __init__(self, spec: PruneSpec, total: int, watch: Watch) -> None:
        self._spec, self._total, self._watch = spec, total, watch
        self._solver: Solver = SOLVERS[spec.method]
        # Until a layer is changed both streams are the same, and there is no error to correct: the target is W itself.
        self._undisturbed = True
        self.reports: list[LayerReport] = []

    def prune_group(self, step: _Step, group: tuple[str, ...]) -> None:
        """Prunes the layers of a group in the sparse block and appends their reports."""
        started = time.perf_counter()
        self.tick()
        moments = self._moments(step, group)
        share = (time.perf_counter() - started) / len(group)
        undisturbed = self._undisturbed
        for name in group:
            self.reports.append(self._prune_layer(step, name, moments, undisturbed, share))
            self.tick()

    def tick(self, fraction: float = 0.0) -> None:
        """Says how far the walk is, the layer at hand by ``fraction``; where Cancel is heard."""
        self._watch(len(self.reports) + fraction, self._total, self.reports)

    def _moments(self, step: _Step, group: tuple[str, ...]) -> _GroupMoments:
        fit, held_out, dense_only = Accumulator(), Accumulator(), Accumulator()
        for number, (inputs, seen) in enumerate(zip(streams.group_inputs(step.sparse, group, step.batches), step.seen, strict=True)):
            outputs = {name: seen.outputs[name] for name in group}
            (fit if number < step.calibration else held_out).add(inputs, outputs)
            if seen.inputs and number < step.calibration:
                dense_only.add(seen.inputs[group], {})
            self.tick()
        return _GroupMoments(fit, held_out, dense_only.inputs() if self._spec.adaptive == "none" else None)

    def _prune_layer(self, step: _Step, name: str, moments: _GroupMoments, undisturbed: bool, share: float) -> LayerReport:
        started = time.perf_counter()
        full_name = layer_name(step.dense.index, name)
        dense, sparse = step.dense.linear(name), step.sparse.linear(name)
        weight, bias = dense.weight.double(), dense.bias.double()
        inputs, outputs = moments.fit.inputs(), moments.fit.outputs(name)
        try:
            _check_finite(weight, inputs.hessian, outputs.cross)
            corrects = self._spec.adaptive == "full" and not undisturbed
            problem = self._problem(weight, moments.dense_inputs or inputs, outputs if corrects else None)
            solution = self._solver.solve(problem, self.tick)
            least, damping = _least_error(inputs, outputs)
        except ValueError as error:
            raise ModelError(f"Pruning stopped at {full_name}: {error}. The checkpoint or a layer before it may be broken.") from error
        new_weight = solution.weight.float().double()
        new_bias = outputs.mean - new_weight @ inputs.mean if self._spec.adaptive == "full" else bias
        if self._changes(solution, problem, weight):
            self._undisturbed = False
            sparse.weight.data.copy_(new_weight)
            sparse.bias.data.copy_(new_bias)
        else:
            new_bias = bias
        total = outputs.error_of(new_weight, new_bias, inputs)
        inherited = min(least, total)
        return LayerReport(
            name=full_name,
            shape=tuple(weight.shape),
            sparsity=patterns.sparsity(solution.mask),
            uncorrected=outputs.error_of(weight, bias, inputs),
            inherited=inherited,
            own=total - inherited,
            total=total,
            solver=relative(solution.error, outputs.power),
            held_out=moments.held_out.outputs(name).error_of(new_weight, new_bias, moments.held_out.inputs()),
            damping=max(solution.damping, damping),
            seconds=share + time.perf_counter() - started,
        )

    def _problem(self, weight: Float[Tensor, "out in"], inputs: InputMoments, wanted: OutputMoments | None) -> LayerProblem:
        """The ridge is added to the Hessian, and pulls the adaptive dense weight (Eq. 5) towards the dense one.

        Where the bias is refitted it takes up any shift of the mean, so the moments are centred; where it is not, as in SparseGPT
        and Wanda as published, the shift is part of the error, so they are not.
        """
        moments = inputs.hessian if self._spec.adaptive == "full" else inputs.about_zero
        mean_diagonal = float(moments.diagonal().mean())
        ridge = self._spec.ridge * (mean_diagonal if mean_diagonal > 0 else 1.0)
        hessian = moments + ridge * torch.eye(len(moments), dtype=torch.float64, device=weight.device)
        target = weight
        if wanted is not None:
            lower = linalg.cholesky(hessian).lower
            target = torch.cholesky_solve((wanted.cross + ridge * weight).T, lower).T
        return LayerProblem(weight, target, hessian, inputs.norm, self._spec.pattern)

    @staticmethod
    def _changes(solution: LayerSolution, problem: LayerProblem, weight: Float[Tensor, "out in"]) -> bool:
        return not (problem.target is weight and bool(solution.mask.all()))


def _least_error(inputs: InputMoments, outputs: OutputMoments) -> tuple[float, float]:
    """The error of the unridged least-squares weight: ``power - tr C H^-1 C^T``; and the damping that a singular H needed."""
    factor = linalg.cholesky(inputs.hessian)
    explained = torch.linalg.solve_triangular(factor.lower, outputs.cross.T, upper=False)
    return relative(outputs.power - float((explained**2).sum()), outputs.power), factor.damping


def _check_finite(weight: Tensor, hessian: Tensor, cross: Tensor) -> None:
    for what, values in (("its weight", weight), ("its inputs", hessian), ("its dense outputs", cross)):
        if not torch.isfinite(values).all():
            raise ValueError(f"{what} hold NaN or Inf")
