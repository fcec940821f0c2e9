"""ADMM on mask and weights together, then an exact refit: the default solver."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robustprune.pruning import linalg, patterns
from robustprune.pruning.problem import LayerProblem, LayerSolution, Tick, unpruned
from robustprune.pruning.refit import refit

SHARE_OF_ITERATIONS = 0.7


@dataclass(frozen=True)
class ADMM:
    """Alternates between the best dense weight near a sparse one and the best sparse weight near a dense one. Wanted by default:
    no zero is final until the end, so the mask gets better than any that is chosen one column or one weight at a time.

    Works on inputs scaled to unit second moment, and starts from the largest scaled weights: a start from SparseGPT's solution
    ends in the same error. The penalty ``rho`` grows faster while the mask still changes much, and the dual variable is rescaled
    with it. Alternating directions: Boyd et al. 2011, section 9.1.

    Attributes:
        iterations: number of alternations.
        rho: first penalty, relative to the scaled Hessian's unit diagonal.
        every: alternations between two changes of the penalty, each of which costs one factorisation.
    """

    iterations: int = 36
    rho: float = 0.3
    every: int = 6

    def solve(self, problem: LayerProblem, tick: Tick) -> LayerSolution:
        """Prunes one layer: alternations, then refit."""
        if problem.pattern.sparsity == 0:
            return unpruned(problem)
        scale = (problem.hessian.diagonal() / problem.factors.inverse.diagonal()) ** 0.25
        hessian = (problem.hessian / scale / scale[:, None]).float()
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
        sparse, dual, rho, inverse = wanted * mask, torch.zeros_like(wanted), self.rho, None
        for step in range(self.iterations):
            if step % self.every == 0:
                inverse = torch.cholesky_inverse(linalg.cholesky(linalg.with_ridge(hessian, rho)).matrix)
            dense = torch.addmm(dual, sparse.sub_(dual).mul_(rho).add_(pull), inverse)  # the dual variable already added
            previous, mask = mask, patterns.keep_largest(dense.abs(), problem.pattern)
            sparse = dense * mask
            dual = torch.sub(dense, sparse, out=dense)
            if step % self.every == self.every - 1:
                growth = _growth((mask ^ previous).sum().item() / mask.numel())
                rho *= growth
                dual /= growth
            tick(SHARE_OF_ITERATIONS * (step + 1) / self.iterations)
        return mask, sparse


def _growth(changed: float) -> float:
    """How much the penalty grows, given the share of the mask that the last alternation changed."""
    if changed > 0.05:
        return 1.5
    return 1.3 if changed > 0.01 else 1.15
