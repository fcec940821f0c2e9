"""Prunes a model block by block (Li et al. 2023, Alg. 1 and 2).

For every group of linear layers it collects the moments, builds the problems, runs the solver and writes the weights. Then it continues
with the next block.
"""

import copy
import time
from collections.abc import Callable, Sequence

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from robustprune.base.errors import DataError
from robustprune.base.messages import say
from robustprune.base.progress import Progress
from robustprune.models.architectures import Block, encoder_blocks, layer_name, linear_layers
from robustprune.pruning import head, patterns, streams
from robustprune.pruning.adapt import Curvature, choose_ridge
from robustprune.pruning.allocation import patterns_for
from robustprune.pruning.block_stages import stages_of
from robustprune.pruning.faults import check_finite, naming
from robustprune.pruning.group_moments import DenseBlock, GroupMoments
from robustprune.pruning.moments import relative
from robustprune.pruning.problem import Solver
from robustprune.pruning.report import LayerReport, PruneReport
from robustprune.pruning.solvers import solver
from robustprune.specs.prune import AUTO, Pattern, PruneSpec

HELD_OUT_EVERY = 10
MIN_TEXTS = 16


@torch.no_grad()
def prune(
    dense: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], spec: PruneSpec, progress: Progress
) -> tuple[PreTrainedModel, PruneReport]:
    """Returns a pruned copy of ``dense``, on the same device, and the report. The dense model is not changed.

    Every tenth text is held out from calibration. The report gives the errors on these texts too, which no layer was fitted to.

    ``progress`` gets the number of finished layers, plus a fraction for the current layer. Its partial is the tuple of layer reports so far.

    Raises:
        DataError: there are fewer than 16 texts, or too few texts to judge whether a refit of the head helps.
        SpecError: the spec names a layer that the model does not have, or a pattern that does not fit a layer.
        ModelError: the inputs or weights of a layer hold NaN or Inf, or its Hessian cannot be factorised; the message names the layer.
        Cancelled: ``progress`` raised it.
    """
    if len(texts) < MIN_TEXTS:
        raise DataError("pruning.too_few_texts", needed=MIN_TEXTS, texts=len(texts))
    started = time.perf_counter()
    total = len(list(linear_layers(dense)))
    fit, held_out = split(texts)
    if spec.refit_head:
        head.check_held_out(len(held_out))
    walk = _Walk(spec, total, progress)
    fit_batches, held_out_batches = (streams.block_inputs(dense, tokenizer, part, walk.tick) for part in (fit, held_out))
    batches = fit_batches + held_out_batches
    walk.patterns = patterns_for(dense, fit_batches, spec, walk.tick)
    sparse = copy.deepcopy(dense)
    dense_stream = sparse_stream = batches
    for dense_block, sparse_block in zip(encoder_blocks(dense), encoder_blocks(sparse), strict=True):
        seen = DenseBlock(dense_block, len(fit_batches), with_inputs=spec.adaptive == "none", residual=spec.residual)
        dense_stream = streams.advance(dense_block, dense_stream, walk.tick, seen.look)
        run = streams.BlockWalk(sparse_block, stages_of(sparse), sparse_stream)
        for number in range(len(dense_block.groups)):
            walk.prune_group(dense_block, sparse_block, number, lambda number=number, seen=seen, run=run: seen.moments(number, run, walk.tick))
        sparse_stream = run.outputs(walk.tick)
    head_report = head.refit(dense, sparse, dense_stream, sparse_stream, len(fit_batches), walk.tick) if spec.refit_head else ()
    tokens = sum(len(batch.tokens) for batch in fit_batches)
    seconds = time.perf_counter() - started
    return sparse, PruneReport(tuple(walk.reports), achieved_sparsity(sparse), len(fit), len(held_out), tokens, seconds, head_report)


def split(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the texts that the layers are fitted to, and the held-out texts, which are every tenth text."""
    fit = [text for i, text in enumerate(texts) if i % HELD_OUT_EVERY != HELD_OUT_EVERY - 1]
    return fit, [text for i, text in enumerate(texts) if i % HELD_OUT_EVERY == HELD_OUT_EVERY - 1]


def achieved_sparsity(model: PreTrainedModel) -> float:
    """The exact share of zeros over a model's pruned linear layers."""
    weights = [layer.weight for _, layer in linear_layers(model)]
    return sum(int((weight == 0).sum()) for weight in weights) / sum(weight.numel() for weight in weights)


class _Walk:
    """The state of one pruning run: the reports so far, and whether any layer has been changed yet."""

    def __init__(self, spec: PruneSpec, layers: int, progress: Progress) -> None:
        self._spec, self._layers, self._progress = spec, layers, progress
        self._solver: Solver = solver(spec.method)
        # Until a layer is changed, both streams are equal and there is no error to correct, so the target is W itself.
        self._undisturbed = True
        self.patterns: dict[str, Pattern] = {}
        self.reports: list[LayerReport] = []

    def tick(self, fraction: float = 0.0) -> None:
        """Reports the progress, which may raise Cancelled. ``fraction`` is the share of the current layer that is done."""
        done = len(self.reports)
        doing = say("pruning.layer", number=min(done + 1, self._layers), total=self._layers)
        self._progress(done + fraction, self._layers, doing, tuple(self.reports))

    def prune_group(self, dense: Block, sparse: Block, number: int, gather: Callable[[], GroupMoments]) -> None:
        """Prunes the layers of a group in the sparse block and appends their reports. ``gather`` collects the group's moments."""
        started = time.perf_counter()
        self.tick()
        group = dense.groups[number]
        moments = gather()
        with naming(layer_name(dense.index, group[0])):
            check_finite("inputs", moments.fit.inputs.hessian.diagonal())  # every NaN or Inf in the inputs reaches the diagonal
            full = self._spec.adaptive == "full"
            corrects = full and not self._undisturbed
            inputs = moments.dense_inputs if self._spec.adaptive == "none" else moments.fit.inputs
            ridge = self._spec.ridge
            if ridge == AUTO:
                by_name = {name: self.patterns[layer_name(dense.index, name)] for name in group}
                ridge = choose_ridge(moments, inputs, {name: dense.linear(name) for name in group}, by_name, full, corrects, self.tick)
            curvature = Curvature.of(inputs, ridge, centred=full)
        share = (time.perf_counter() - started) / len(group)
        for name in group:
            with naming(layer_name(dense.index, name)):
                self.reports.append(self._prune_layer(dense, sparse, name, moments, curvature, corrects, share))
            self.tick()

    def _prune_layer(
        self, dense_block: Block, sparse_block: Block, name: str, moments: GroupMoments, curvature: Curvature, corrects: bool, share: float
    ) -> LayerReport:
        started = time.perf_counter()
        full_name = layer_name(dense_block.index, name)
        dense, sparse = dense_block.linear(name), sparse_block.linear(name)
        weight, bias = dense.weight.double(), dense.bias.double()
        inputs, outputs = moments.fit.inputs, moments.fit.outputs[name]
        check_finite("weights", weight)
        check_finite("dense outputs", outputs.cross)
        problem = curvature.problem(weight, outputs if corrects else None, self.patterns[full_name])
        solution = self._solver.solve(problem, self.tick)
        new_weight, new_bias = solution.weight.float().double(), bias
        if corrects or not solution.mask.all():
            if self._spec.adaptive == "full":
                new_bias = outputs.mean - new_weight @ inputs.mean
            sparse.weight.data.copy_(new_weight)
            sparse.bias.data.copy_(new_bias)
            self._undisturbed = False
        total = outputs.error_of(new_weight, new_bias, inputs)
        inherited = min(outputs.least_error(inputs), total)
        return LayerReport(
            name=full_name,
            shape=tuple(weight.shape),
            sparsity=patterns.sparsity(solution.mask),
            uncorrected=outputs.error_of(weight, bias, inputs),
            inherited=inherited,
            own=total - inherited,
            total=total,
            solver=relative(solution.error, outputs.unit),
            held_out=moments.held_out.outputs[name].error_of(new_weight, new_bias, moments.held_out.inputs),
            ridge=curvature.relative_ridge,
            damping=solution.damping,
            seconds=share + time.perf_counter() - started,
        )
