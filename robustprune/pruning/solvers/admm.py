"""ADMM on mask and weights together, then an exact refit: the default solver."""

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
    """Alternates between the best dense weight near a sparse one and the best sparse weight near a dense one. Wanted by default:
    no zero is final until the end, so the mask gets better than any that is chosen one column or one weight at a time.

    Inputs are scaled, so that the size of a weight says what it is worth, to the geometric mean of the two costs of a zero: with
    all other weights fixed (``G_jj``), and with all others making up for it (``1 / [G^-1]_jj``, as in optimal brain surgeon). Starts
    from the largest scaled weights: a start from SparseGPT's solution ends in the same error. The penalty ``rho`` grows faster
    while the mask still changes much, and the dual variable is rescaled with it. Alternating directions: Boyd et al. 2011, section 9.1.

    Attributes:
        iterations: most alternations.
        rho: first penalty, in units of the scaled Hessian.
        every: alternations between two changes of the penalty, each of which costs one factorisation.
        settled: when the mask counts as found: the share of the kept weights that an alternation still lets go or takes back.
    """

    iterations: int = 60
    rho: float = 0.3
    every: int = 6
    settled: float = 0.004

    def solve(self, problem: LayerProblem, tick: Tick) -> LayerSolution:
        """Prunes one layer: alternations, then refit."""
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
        """The mask after the last alternation, and its scaled weights. Float32 is enough to choose a mask."""
        pull = wanted @ hessian
        mask = patterns.keep_largest(wanted.abs(), problem.pattern)
        sparse, dual, rho, near = wanted * mask, torch.zeros_like(wanted), self.rho, None
        for step in range(1, self.iterations + 1):
            if near is None:
                near = _dense_step(linalg.cholesky(linalg.with_ridge(hessian, rho)).matrix, len(wanted))
            dense = near(sparse.sub_(dual).mul_(rho).add_(pull)).add_(dual)  # the dual variable already added
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
    """Multiplies rows by the inverse of the matrix that ``lower`` is the Cholesky factor of. Of a layer that is wider than high the
    inverse itself is never made: it would cost more than it saves until the next penalty."""
    if rows < len(lower):
        return lambda right_side: torch.cholesky_solve(right_side.T, lower).T.contiguous()
    inverse = torch.cholesky_inverse(lower)
    return lambda right_side: right_side @ inverse


def _growth(changed: float) -> float:
    """How much the penalty grows, given the share of the mask that the last alternation changed."""
    if changed > 0.05:
        return 1.5
    return 1.3 if changed > 0.01 else 1.15
