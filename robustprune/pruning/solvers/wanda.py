"""Wanda (Sun et al. 2023): scores every weight by its size times the norm of its input, and sets the weights with the smallest scores to zero.

The other weights are unchanged.
"""

from dataclasses import dataclass

from robustprune.base.progress import Tick
from robustprune.pruning import patterns
from robustprune.pruning.problem import LayerProblem, LayerSolution


@dataclass(frozen=True)
class Wanda:
    """Keeps the largest ``abs(target) * ||x_j||``. It is the cheapest method that uses data. It ignores the correlation of the inputs.

    It is equivalent to optimal brain surgeon with a diagonal Hessian and without compensation.
    """

    def solve(self, problem: LayerProblem, tick: Tick) -> LayerSolution:
        """Prunes one layer in a single step."""
        mask = patterns.keep_largest(problem.target.abs() * problem.input_norm, problem.pattern)
        weight = problem.target * mask
        tick(1.0)
        return LayerSolution(weight, mask, problem.error_of(weight))
