"""What a solver gets, and what it gives back."""

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robustprune.base.progress import Tick
from robustprune.pruning.linalg import Factors
from robustprune.specs.prune import Pattern


@dataclass(frozen=True)
class LayerProblem:
    """Find zeros and weights V of one linear layer that minimise ``tr (V - target) hessian (V - target)^T``.

    Attributes:
        weight: the dense weight W, float64.
        target: the adaptive dense weight (Li et al. 2023, Eq. 5), or W itself where nothing is to be corrected, float64.
        hessian: second moments of the layer's inputs over the calibration tokens, with the ridge added, float64; centred where the
            layer's bias is refitted afterwards.
        input_norm: Euclidean norm of every input over the calibration tokens, not centred, float64.
        pattern: which weights may be zero together.
        factors: factorisations of ``hessian``, shared with the layers that share the input.
    """

    weight: Float[Tensor, "out in"]
    target: Float[Tensor, "out in"]
    hessian: Float[Tensor, "in in"]
    input_norm: Float[Tensor, " in"]
    pattern: Pattern
    factors: Factors = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.factors is None or self.factors.matrix is not self.hessian:
            object.__setattr__(self, "factors", Factors(self.hessian))

    def error_of(self, weight: Float[Tensor, "out in"]) -> float:
        """The objective at ``weight``."""
        delta = weight - self.target
        return float(((delta @ self.hessian) * delta).sum())


@dataclass(frozen=True)
class LayerSolution:
    """A pruned weight: zero exactly where ``mask`` is False.

    ``error`` is the problem's objective at ``weight``; ``damping`` what had to be added to the Hessian's diagonal, relative to
    its mean, for a factorisation to succeed (0: nothing).
    """

    weight: Float[Tensor, "out in"]
    mask: Bool[Tensor, "out in"]
    error: float
    damping: float = 0.0


@runtime_checkable
class Solver(Protocol):
    """A way to prune one layer. Frozen: its settings are its fields, and it changes nothing that it is given."""

    def solve(self, problem: LayerProblem, tick: Tick) -> LayerSolution:
        """Prunes one layer. Calls ``tick`` often enough that a person who cancels does not wait."""
        ...


def unpruned(problem: LayerProblem) -> LayerSolution:
    """The solution when no zeros are asked for: the target, exactly."""
    return LayerSolution(problem.target.clone(), torch.ones_like(problem.target, dtype=torch.bool), 0.0)
