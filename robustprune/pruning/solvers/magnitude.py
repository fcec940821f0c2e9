"""Magnitude pruning: sets the smallest weights to zero and leaves the others unchanged."""

from dataclasses import dataclass

from robustprune.base.progress import Tick
from robustprune.pruning import patterns
from robustprune.pruning.problem import LayerProblem, LayerSolution


@dataclass(frozen=True)
class Magnitude:
    """Keeps the largest ``abs(target)``. It is the baseline that needs no data. It ignores the size and the correlation of the inputs."""

    def solve(self, problem: LayerProblem, tick: Tick) -> LayerSolution:
        """Prunes one layer in a single step."""
        mask = patterns.keep_largest(problem.target.abs(), problem.pattern)
        weight = problem.target * mask
        tick(1.0)
        return LayerSolution(weight, mask, problem.error_of(weight))
