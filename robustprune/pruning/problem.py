"""The input and the output of a solver: the problem of one layer, and its solution."""

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
    """The pruning problem of one linear layer: find zeros and weights V that minimise ``tr (V - target) hessian (V - target)^T``.

    Attributes:
        weight: the dense weight W, float64.
        target: the adaptive dense weight (Li et al. 2023, Eq. 5), or W itself if there is no error to correct, float64.
        hessian: second moments of the layer's inputs over the calibration tokens, with the ridge added, float64. They are centred if
            the layer's bias is refitted afterwards.
        input_norm: Euclidean norm of every input over the calibration tokens, not centred, float64.
        pattern: the pattern that the zeros must follow.
        factors: factorisations of ``hessian``. Layers that have the same input share them.
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
        """Returns the value of the objective at ``weight``."""
        delta = weight - self.target
        return float(((delta @ self.hessian) * delta).sum())


@dataclass(frozen=True)
class LayerSolution:
    """A pruned weight, which is zero exactly where ``mask`` is False.

    ``error`` is the value of the problem's objective at ``weight``. ``damping`` is the amount that was added to the diagonal of the
    Hessian so that a factorisation succeeded, relative to the mean of the diagonal. It is 0 if nothing was added.
    """

    weight: Float[Tensor, "out in"]
    mask: Bool[Tensor, "out in"]
    error: float
    damping: float = 0.0


@runtime_checkable
class Solver(Protocol):
    """A method that prunes one layer. A solver is a frozen dataclass: its fields are its settings. It does not change its arguments."""

    def solve(self, problem: LayerProblem, tick: Tick) -> LayerSolution:
        """Prunes one layer. Calls ``tick`` often enough for a cancel to take effect without a noticeable wait."""
        ...


def unpruned(problem: LayerProblem) -> LayerSolution:
    """The solution for a pattern without zeros: the target itself, with error 0."""
    return LayerSolution(problem.target.clone(), torch.ones_like(problem.target, dtype=torch.bool), 0.0)
