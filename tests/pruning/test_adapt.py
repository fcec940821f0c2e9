"""The adaptive dense weight is the ridge regression of the dense outputs on the sparse inputs, pulled towards the dense weight."""

import pytest
import torch

from robustprune.pruning.adapt import Curvature
from robustprune.pruning.moments import Accumulator
from robustprune.specs.prune import Pattern


@pytest.fixture
def layer():
    """Inputs of the sparse model, outputs of the dense one, and its weight."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(300, 8, generator=generator) + 2.0
    weight = torch.randn(5, 8, generator=generator, dtype=torch.float64)
    y = (x + 0.3 * torch.randn(300, 8, generator=generator)) @ weight.float().T + 1.0
    sums = Accumulator()
    sums.add(x, {"y": y})
    return x.double(), y.double(), weight, sums.inputs(), sums.outputs("y")


@pytest.mark.parametrize("ridge", [1e-6, 1e-2, 1.0])
def test_the_target_minimises_the_error_and_the_pull_together(ridge, layer):
    x, y, weight, inputs, outputs = layer
    curvature = Curvature.of(inputs, ridge, centred=True)
    target = curvature.problem(weight, outputs, Pattern(0.5)).target
    x, y = x - x.mean(0), y - y.mean(0)
    pull = ridge * (x**2).sum(0).mean()
    gradient = (target @ x.T - y.T) @ x + pull * (target - weight)
    assert gradient.norm() <= 1e-4 * (y.T @ x).norm()


def test_a_problem_that_corrects_nothing_has_the_weight_as_target(layer):
    _, _, weight, inputs, _ = layer
    assert Curvature.of(inputs, 0.1, centred=False).problem(weight, None, Pattern(0.5)).target is weight


def test_the_whole_objective_is_the_problems_plus_a_constant(layer):
    """Error and pull of any weight, less those of the target, are what solvers minimise (engine: one quadratic)."""
    x, y, weight, inputs, outputs = layer
    problem = Curvature.of(inputs, 0.05, centred=True).problem(weight, outputs, Pattern(0.5))
    x, y = x - x.mean(0), y - y.mean(0)
    pull = 0.05 * (x**2).sum(0).mean()

    def whole(tried):
        return float((y - x @ tried.T).square().sum() + pull * (tried - weight).square().sum())

    for seed in range(3):
        tried = problem.target + torch.randn(5, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        assert whole(tried) - whole(problem.target) == pytest.approx(problem.error_of(tried), rel=1e-4)
