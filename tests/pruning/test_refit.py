"""The refit is the exact least squares on its mask."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from robustprune.pruning.refit import refit
from robustprune.pruning.solvers import solver
from robustprune.specs.methods import METHODS
from robustprune.specs.prune import Pattern
from tests.pruning.problems import COLUMNS, ROWS, ignore, patterns_of, problem


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=20, deadline=None)
@given(data=st.data(), seed=st.integers(0, 1000))
def test_it_never_raises_a_solvers_error_and_its_gradient_vanishes(method, data, seed):
    one = problem(data.draw(st.sampled_from(patterns_of(method))), seed)
    solution = solver(method).solve(one, ignore)
    weight, _ = refit(one, solution.mask, ignore)
    assert one.error_of(weight) <= solution.error * (1 + 1e-7) + 1e-9
    gradient = ((weight - one.target) @ one.hessian) * solution.mask
    assert gradient.norm() <= 1e-5 * (one.target @ one.hessian).norm()
    assert (weight[~solution.mask] == 0).all()


def test_it_equals_a_row_by_row_solution():
    one = problem(Pattern(0.6))
    mask = solver("magnitude").solve(one, ignore).mask
    weight, _ = refit(one, mask, ignore)
    right_sides = one.target @ one.hessian
    for row in range(ROWS):
        support = mask[row].nonzero().flatten()
        expected = torch.linalg.solve(one.hessian[support][:, support], right_sides[row, support])
        assert torch.allclose(weight[row, support], expected, rtol=1e-4, atol=1e-6)


def test_a_start_changes_nothing():
    one = problem(Pattern(0.6))
    mask = solver("wanda").solve(one, ignore).mask
    from_zero, from_target = refit(one, mask, ignore)[0], refit(one, mask, ignore, start=one.target)[0]
    assert torch.allclose(from_zero, from_target, rtol=1e-4, atol=1e-5)


def test_on_nested_masks_it_only_gets_worse():
    one = problem()
    order = one.target.abs().flatten().argsort()
    errors = []
    for zeros in range(0, ROWS * COLUMNS, 40):
        mask = torch.ones(ROWS * COLUMNS, dtype=torch.bool)
        mask[order[:zeros]] = False
        errors.append(one.error_of(refit(one, mask.reshape(ROWS, COLUMNS), ignore)[0]))
    assert all(after >= before - 1e-6 for before, after in itertools.pairwise(errors))


def test_a_row_without_weights_left_is_all_zero():
    one = problem()
    mask = torch.ones_like(one.target, dtype=torch.bool)
    mask[4] = False
    weight, _ = refit(one, mask, ignore)
    assert (weight[4] == 0).all()
    assert torch.isfinite(weight).all()
