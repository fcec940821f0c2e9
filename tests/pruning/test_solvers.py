"""What must hold for every solver, on problems of known shape."""

import dataclasses
import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from robustprune.errors import Cancelled
from robustprune.pruning.problem import LayerProblem
from robustprune.pruning.refit import refit
from robustprune.pruning.solvers import SOLVERS
from robustprune.spec import METHODS, Pattern

SOLVER_NAMES = sorted(SOLVERS)
ROWS, COLUMNS = 12, 24


def ignore(_fraction):
    pass


def problem(sparsity=0.5, scope="layer", seed=0, tokens=200, ridge=1e-2, columns=COLUMNS, correlation=1.0):
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(columns, columns, generator=generator, dtype=torch.float64)
    mixing = correlation * mixing + (1 - correlation) * torch.eye(columns, dtype=torch.float64)
    inputs = torch.randn(tokens, columns, generator=generator, dtype=torch.float64) @ mixing
    hessian = inputs.T @ inputs
    hessian += ridge * hessian.diagonal().mean() * torch.eye(columns, dtype=torch.float64)
    weight = torch.randn(ROWS, columns, generator=generator, dtype=torch.float64)
    target = weight + 0.1 * torch.randn(ROWS, columns, generator=generator, dtype=torch.float64)
    return LayerProblem(weight, target, hessian, inputs.norm(dim=0), Pattern(sparsity, scope))


def with_hessian(one, hessian):
    return dataclasses.replace(one, hessian=hessian)


def test_every_method_of_the_spec_has_a_solver():
    assert set(SOLVERS) == set(METHODS)


@pytest.mark.parametrize("name", SOLVER_NAMES)
@settings(max_examples=25, deadline=None)
@given(sparsity=st.floats(0, 0.99), scope=st.sampled_from(["layer", "row"]), seed=st.integers(0, 1000))
def test_zeros_are_counted_exactly(name, sparsity, scope, seed):
    solution = SOLVERS[name].solve(problem(sparsity, scope, seed), ignore)
    if scope == "layer":
        assert int((~solution.mask).sum()) == round(sparsity * ROWS * COLUMNS)
    else:
        assert ((~solution.mask).sum(1) == round(sparsity * COLUMNS)).all()
    assert (solution.weight[~solution.mask] == 0).all()


@pytest.mark.parametrize("name", SOLVER_NAMES)
def test_ties_do_not_change_the_count(name):
    one = problem(0.5)
    equal = dataclasses.replace(one, target=torch.ones_like(one.target), hessian=torch.eye(COLUMNS, dtype=torch.float64))
    assert int((~SOLVERS[name].solve(equal, ignore).mask).sum()) == ROWS * COLUMNS // 2


@pytest.mark.parametrize("name", SOLVER_NAMES)
def test_sparsity_zero_returns_the_target(name):
    one = problem(0.0)
    solution = SOLVERS[name].solve(one, ignore)
    assert torch.equal(solution.weight, one.target)
    assert solution.mask.all()
    assert solution.error == 0


@pytest.mark.parametrize("name", SOLVER_NAMES)
def test_arguments_are_not_changed(name):
    one = problem(0.7)
    before = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
    copies = {key: value.clone() for key, value in before.items() if isinstance(value, torch.Tensor)}
    SOLVERS[name].solve(one, ignore)
    for key, value in copies.items():
        assert torch.equal(before[key], value), key


@pytest.mark.parametrize("name", SOLVER_NAMES)
def test_the_told_error_is_the_objective(name):
    one = problem(0.6)
    solution = SOLVERS[name].solve(one, ignore)
    delta = solution.weight - one.target
    assert solution.error == pytest.approx(float(torch.trace(delta @ one.hessian @ delta.T)), rel=1e-9)


@pytest.mark.parametrize("name", SOLVER_NAMES)
def test_dead_and_duplicate_inputs_work(name):
    inputs = torch.randn(100, COLUMNS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    inputs[:, 3] = 0
    inputs[:, 5] = inputs[:, 6]
    hessian = inputs.T @ inputs
    hessian += 1e-2 * hessian.diagonal().mean() * torch.eye(COLUMNS, dtype=torch.float64)
    solution = SOLVERS[name].solve(with_hessian(problem(0.5), hessian), ignore)
    assert torch.isfinite(solution.weight).all()
    assert int((~solution.mask).sum()) == ROWS * COLUMNS // 2


@pytest.mark.parametrize("name", ["sparsegpt", "admm"])
def test_a_singular_hessian_is_damped_and_says_so(name):
    inputs = torch.randn(5, COLUMNS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    solution = SOLVERS[name].solve(with_hessian(problem(0.5), inputs.T @ inputs), ignore)
    assert torch.isfinite(solution.weight).all()
    assert solution.damping > 0


@pytest.mark.parametrize("name", SOLVER_NAMES)
def test_cancel_is_heard(name):
    def stop(_fraction):
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        SOLVERS[name].solve(problem(0.5), stop)


@pytest.mark.parametrize("scope", ["layer", "row"])
@pytest.mark.parametrize("sparsity", [0.5, 0.8])
def test_better_solvers_leave_less_error(scope, sparsity):
    errors = {}
    for name in SOLVER_NAMES:
        errors[name] = sum(SOLVERS[name].solve(problem(sparsity, scope, seed, correlation=0.1), ignore).error for seed in range(5))
    assert errors["admm"] < 0.95 * errors["sparsegpt"]
    assert errors["sparsegpt"] < errors["magnitude"]


@settings(max_examples=20, deadline=None)
@given(sparsity=st.floats(0.05, 0.95), seed=st.integers(0, 1000))
def test_refit_never_raises_the_error_and_its_gradient_vanishes(sparsity, seed):
    one = problem(sparsity, seed=seed)
    solution = SOLVERS["sparsegpt"].solve(one, ignore)
    weight, _ = refit(one, solution.mask, ignore)
    assert one.error_of(weight) <= solution.error * (1 + 1e-9)
    gradient = ((weight - one.target) @ one.hessian) * solution.mask
    assert gradient.norm() <= 1e-5 * (one.target @ one.hessian).norm()


def test_refit_equals_a_row_by_row_solution():
    one = problem(0.6)
    mask = SOLVERS["magnitude"].solve(one, ignore).mask
    weight, _ = refit(one, mask, ignore)
    right_sides = one.target @ one.hessian
    for row in range(ROWS):
        support = mask[row].nonzero().flatten()
        expected = torch.linalg.solve(one.hessian[support][:, support], right_sides[row, support])
        assert torch.allclose(weight[row, support], expected, rtol=1e-4, atol=1e-6)


def test_refits_on_nested_masks_only_get_worse():
    one = problem(0.0)
    order = one.target.abs().flatten().argsort()
    errors = []
    for zeros in range(0, ROWS * COLUMNS, 40):
        mask = torch.ones(ROWS * COLUMNS, dtype=torch.bool)
        mask[order[:zeros]] = False
        errors.append(one.error_of(refit(one, mask.reshape(ROWS, COLUMNS), ignore)[0]))
    assert all(after >= before - 1e-6 for before, after in itertools.pairwise(errors))


def test_a_row_without_weights_left_is_all_zero():
    one = problem(0.5)
    mask = torch.ones_like(one.target, dtype=torch.bool)
    mask[4] = False
    weight, _ = refit(one, mask, ignore)
    assert (weight[4] == 0).all()
    assert torch.isfinite(weight).all()
