"""Magnitude pruning: the smallest weights go, the others stay as they are."""

from dataclasses import dataclass

from robustprune.base.progress import Tick
from robustprune.pruning import patterns
from robustprune.pruning.problem import LayerProblem, LayerSolution


@dataclass(frozen=True)
class Magnitude:
    """Keeps the largest ``abs(target)``. Wanted as the baseline that needs no data; blind to inputs that are large or correlated."""

    def solve(self, problem: LayerProblem, tick: Tick) -> LayerSolution:
        """Prunes one layer in a single step."""
        mask = patterns.keep_largest(problem.target.abs(), problem.pattern)
        weight = problem.target * mask
        tick(1.0)
        return LayerSolution(weight, mask, problem.error_of(weight))
