"""SparseGPT (Frantar and Alistarh 2023): prunes column by column; the columns after a column compensate its zeros."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robustprune.base.progress import Tick
from robustprune.pruning import patterns
from robustprune.pruning.problem import LayerProblem, LayerSolution, unpruned
from robustprune.specs.prune import Pattern


@dataclass(frozen=True)
class SparseGPT:
    """Optimal brain surgeon with one inverse Hessian that all rows share. It is the solver to use when speed matters most.

    The columns are processed in blocks. The zeros of a block are chosen right before the block is processed, by the score
    ``w^2 / U[j, j]^2``, where ``U^T U`` is the inverse Hessian. Later columns compensate the error; earlier columns cannot.

    Attributes:
        block_size: number of columns whose zeros are chosen together. With an N:M pattern, M is used instead.
    """

    block_size: int = 128

    def solve(self, problem: LayerProblem, tick: Tick) -> LayerSolution:
        """Prunes one layer in one pass over its columns."""
        if problem.pattern.sparsity == 0:
            return unpruned(problem)
        upper = problem.factors.inverse_upper.matrix
        weight = problem.target.clone()
        mask = torch.ones_like(weight, dtype=torch.bool)
        columns, width = weight.shape[1], problem.pattern.bank or self.block_size
        for start in range(0, columns, width):
            end = min(start + width, columns)
            block = upper[start:end, start:end]
            scores = weight[:, start:end] ** 2 / block.diagonal() ** 2
            mask[:, start:end] = _keep(scores, problem.pattern, start)
            errors = torch.zeros_like(scores)
            for j in range(end - start):
                column = weight[:, start + j]
                errors[:, j] = column * ~mask[:, start + j] / block[j, j]
                weight[:, start + j : end] -= errors[:, j, None] * block[j, j:]
            weight[:, end:] -= errors @ upper[start:end, end:]
            tick(end / columns)
        weight *= mask  # after the updates, the zeros differ from 0 only by rounding errors
        return LayerSolution(weight, mask, problem.error_of(weight), problem.factors.inverse_upper.damping)


def _keep(scores: Float[Tensor, "out block"], pattern: Pattern, start: int) -> Bool[Tensor, "out block"]:
    """Returns the mask of one block of columns, which starts at column ``start``.

    After every block, the number of zeros so far is the rounded share of all weights so far. So the total number of zeros is exact.
    """
    if pattern.bank:
        return patterns.keep_largest(scores, pattern)
    rows, width = scores.shape
    per_row = pattern.scope == "row"
    unit = 1 if per_row else rows
    drop = patterns.zeros(pattern, unit * (start + width)) - patterns.zeros(pattern, unit * start)
    return patterns.drop_smallest(scores, drop, per_row)
