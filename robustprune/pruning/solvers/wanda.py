"""Wanda: weights times the size of their inputs; the smallest go, the others stay as they are (Sun et al. 2023)."""

from dataclasses import dataclass

from robustprune.base.progress import Tick
from robustprune.pruning import patterns
from robustprune.pruning.problem import LayerProblem, LayerSolution


@dataclass(frozen=True)
class Wanda:
    """Keeps the largest ``abs(target) * ||x_j||``. Wanted as the cheapest method that looks at data; blind to correlated inputs.

    Equals optimal brain surgeon with a diagonal Hessian and no compensation.
    """

    def solve(self, problem: LayerProblem, tick: Tick) -> LayerSolution:
        """Prunes one layer in a single step."""
        mask = patterns.keep_largest(problem.target.abs() * problem.input_norm, problem.pattern)
        weight = problem.target * mask
        tick(1.0)
        return LayerSolution(weight, mask, problem.error_of(weight))
