"""The default solver: ADMM finds the mask and the weights together, then an exact refit improves the weights."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robustprune.base.progress import Tick
from robustprune.pruning import linalg, patterns
from robustprune.pruning.problem import LayerProblem, LayerSolution, unpruned
from robustprune.pruning.refit import refit

SHARE_OF_ITERATIONS = 0.7


@dataclass(frozen=True)
class ADMM:
    """Alternates between the best dense weight near a sparse weight and the best sparse weight near a dense weight.

    This is the default solver. No zero is final until the end, so the mask is better than a mask that is chosen one column or one weight
    at a time. Alternating directions: Boyd et al. 2011, section 9.1.

    The inputs are scaled, so that the size of a scaled weight measures its importance. The scale comes from the geometric mean of two
    costs of a zero: the cost with all other weights fixed (``G_jj``), and the cost with all other weights compensating
    (``1 / [G^-1]_jj``, as in optimal brain surgeon). Here G is the Hessian.

    The first mask keeps the largest scaled weights. (A start from SparseGPT's solution ends with the same error.) The penalty ``rho``
    grows faster while the mask still changes much, and the dual variable is rescaled with it.

    Attributes:
        iterations: maximum number of alternations.
        rho: first penalty, in units of the scaled Hessian.
        every: number of alternations between two changes of the penalty. Each change costs one factorisation.
        settled: the mask is final if one alternation changes at most this many mask entries, as a share of the number of kept weights.
    """

    iterations: int = 60
    rho: float = 0.3
    every: int = 6
    settled: float = 0.004

    def solve(self, problem: LayerProblem, tick: Tick) -> LayerSolution:
        """Prunes one layer: first the alternations, then the refit."""
        if problem.pattern.sparsity == 0:
            return unpruned(problem)
        diagonal = problem.hessian.diagonal().clamp_min(torch.finfo(torch.float32).tiny)
        scale = (diagonal / problem.factors.inverse.diagonal()) ** 0.25
        single = scale.float()
        hessian = problem.hessian.float() / single / single[:, None]
        mask, near = self._alternate(problem, hessian, (problem.target * scale).float(), tick)
        rest = 1 - SHARE_OF_ITERATIONS
        weight, damping = refit(problem, mask, lambda done: tick(SHARE_OF_ITERATIONS + rest * done), start=near / scale)
        return LayerSolution(weight, mask, problem.error_of(weight), damping)

    def _alternate(
        self, problem: LayerProblem, hessian: Float[Tensor, "in in"], wanted: Float[Tensor, "out in"], tick: Tick
    ) -> tuple[Bool[Tensor, "out in"], Float[Tensor, "out in"]]:
        """Returns the mask and the scaled weights after the last alternation. Float32 is precise enough to choose a mask."""
        pull = wanted @ hessian
        mask = patterns.keep_largest(wanted.abs(), problem.pattern)
        sparse, dual, rho, near = wanted * mask, torch.zeros_like(wanted), self.rho, None
        for step in range(1, self.iterations + 1):
            if near is None:
                near = _dense_step(linalg.cholesky(linalg.with_ridge(hessian, rho)).matrix, len(wanted))
            dense = near(sparse.sub_(dual).mul_(rho).add_(pull)).add_(dual)  # this already includes the dual variable
            previous, mask = mask, patterns.keep_largest(dense.abs(), problem.pattern)
            sparse = torch.where(mask, dense, 0.0)
            dual = torch.sub(dense, sparse, out=dense)
            tick(SHARE_OF_ITERATIONS * step / self.iterations)
            if step % self.every == 0:
                changed = (mask ^ previous).sum().item() / mask.numel()
                if changed <= self.settled * (1 - problem.pattern.sparsity):
                    break
                growth = _growth(changed)
                rho, near = rho * growth, None
                dual /= growth
        return mask, sparse


def _dense_step(lower: Float[Tensor, "in in"], rows: int) -> Callable[[Float[Tensor, "out in"]], Float[Tensor, "out in"]]:
    """Returns a function that multiplies rows by the inverse of the matrix whose Cholesky factor is ``lower``.

    If the layer has fewer rows (outputs) than inputs, the function solves with the factor instead. Computing the inverse would cost more
    time than it saves before the next change of the penalty.
    """
    if rows < len(lower):
        return lambda right_side: torch.cholesky_solve(right_side.T, lower).T.contiguous()
    inverse = torch.cholesky_inverse(lower)
    return lambda right_side: right_side @ inverse


def _growth(changed: float) -> float:
    """Returns the factor by which the penalty grows, given the share of the mask that the last alternation changed."""
    if changed > 0.05:
        return 1.5
    return 1.3 if changed > 0.01 else 1.15
