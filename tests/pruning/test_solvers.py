"""What must hold for every solver with every pattern, on problems of known shape."""

import dataclasses
import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from robustprune.base.errors import Cancelled
from robustprune.bench.textbook import optimal_brain_surgeon
from robustprune.pruning.refit import refit
from robustprune.pruning.solvers import solver
from robustprune.specs.methods import METHODS
from robustprune.specs.prune import Pattern
from tests.pruning.problems import BANKS, COLUMNS, MATRIX, assert_keeps_to, ignore, inputs, matrix_id, patterns_of, problem

over_all = pytest.mark.parametrize(("method", "pattern"), MATRIX, ids=matrix_id)


@over_all
def test_zeros_are_counted_exactly(method, pattern):
    solution = solver(method).solve(problem(pattern), ignore)
    assert_keeps_to(solution.mask, pattern, method)
    assert ((solution.weight != 0) == solution.mask).all()


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=25, deadline=None)
@given(sparsity=st.floats(0, 0.99), data=st.data(), seed=st.integers(0, 1000))
def test_any_sparsity_is_met_exactly(method, sparsity, data, seed):
    pattern = Pattern(sparsity, data.draw(st.sampled_from(METHODS[method].scopes)))
    solution = solver(method).solve(problem(pattern, seed), ignore)
    assert_keeps_to(solution.mask, pattern, method)
    assert (solution.weight[~solution.mask] == 0).all()


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=25, deadline=None)
@given(bank=st.integers(2, 12), data=st.data(), seed=st.integers(0, 1000))
def test_any_bank_keeps_exactly_n_of_m(method, bank, data, seed):
    pattern = Pattern.parse(f"{data.draw(st.integers(1, bank - 1))}:{bank}")
    solution = solver(method).solve(problem(pattern, seed, columns=2 * bank), ignore)
    assert_keeps_to(solution.mask, pattern, method)


@over_all
def test_ties_do_not_change_the_count(method, pattern):
    one = problem(pattern)
    equal = dataclasses.replace(
        one, target=torch.ones_like(one.target), hessian=torch.eye(COLUMNS, dtype=torch.float64), input_norm=torch.ones(COLUMNS, dtype=torch.float64)
    )
    assert_keeps_to(solver(method).solve(equal, ignore).mask, pattern, method)


@pytest.mark.parametrize("method", METHODS)
def test_sparsity_zero_returns_the_target(method):
    one = problem(Pattern(0.0, METHODS[method].scope))
    solution = solver(method).solve(one, ignore)
    assert torch.equal(solution.weight, one.target)
    assert solution.mask.all()
    assert solution.error == 0


@over_all
def test_arguments_are_not_changed(method, pattern):
    one = problem(pattern)
    shared = {"cholesky": one.factors.cholesky.matrix, "inverse": one.factors.inverse, "inverse_upper": one.factors.inverse_upper.matrix}
    given = {field.name: value for field in dataclasses.fields(one) if isinstance(value := getattr(one, field.name), torch.Tensor)} | shared
    copies = {name: value.clone() for name, value in given.items()}
    solver(method).solve(one, ignore)
    for name, value in copies.items():
        assert torch.equal(given[name], value), name


@over_all
def test_the_told_error_is_the_objective(method, pattern):
    one = problem(pattern)
    solution = solver(method).solve(one, ignore)
    delta = solution.weight - one.target
    assert solution.error == pytest.approx(float(torch.trace(delta @ one.hessian @ delta.T)), rel=1e-9)


@over_all
def test_dead_and_duplicate_inputs_work(method, pattern):
    x = inputs(tokens=100)
    x[:, 3] = 0
    x[:, 5] = x[:, 6]
    solution = solver(method).solve(problem(pattern, x=x), ignore)
    assert torch.isfinite(solution.weight).all()
    assert_keeps_to(solution.mask, pattern, method)


USES_FACTORS = tuple(method for method in METHODS if method not in ("magnitude", "wanda"))


@pytest.mark.parametrize("method", USES_FACTORS)
def test_a_singular_hessian_is_damped_and_says_so(method):
    one = problem(patterns_of(method)[0], x=inputs(tokens=5), ridge=0.0)
    solution = solver(method).solve(one, ignore)
    assert torch.isfinite(solution.weight).all()
    assert solution.damping > 0
    # Told as what was really needed: that damping makes the matrix definite.
    scale = one.hessian.diagonal().mean()
    identity = torch.eye(COLUMNS, dtype=torch.float64)
    assert torch.linalg.cholesky_ex(one.hessian + solution.damping * scale * identity).info == 0


@pytest.mark.parametrize("method", USES_FACTORS)
def test_a_hessian_of_nan_is_refused(method):
    one = problem(patterns_of(method)[0])
    with pytest.raises(ValueError, match="NaN"):
        solver(method).solve(dataclasses.replace(one, hessian=one.hessian * float("nan")), ignore)


@over_all
def test_a_dead_input_without_a_ridge_works(method, pattern):
    x = inputs(tokens=100)
    x[:, 3] = 0
    solution = solver(method).solve(problem(pattern, x=x, ridge=0.0), ignore)
    assert torch.isfinite(solution.weight).all()
    assert_keeps_to(solution.mask, pattern, method)


@over_all
@pytest.mark.parametrize("ticks", [0, 1, 3])
def test_cancel_is_heard(method, pattern, ticks):
    """At the first tick, and at later ones where a solver takes long enough to have them."""
    told = []
    solver(method).solve(problem(pattern), told.append)
    heard = itertools.count()

    def stop(_fraction):
        if next(heard) >= min(ticks, len(told) - 1):
            raise Cancelled("base.cancelled")

    with pytest.raises(Cancelled):
        solver(method).solve(problem(pattern), stop)


def test_the_solvers_that_iterate_tick_often():
    for method in ("sparsegpt", "obs", "admm"):
        told = []
        solver(method).solve(problem(Pattern(0.5, METHODS[method].scope), columns=300), told.append)
        assert len(told) >= 3, method


@over_all
def test_progress_only_grows_to_at_most_one(method, pattern):
    told = []
    solver(method).solve(problem(pattern), told.append)
    assert told == sorted(told)
    assert told[0] >= 0
    assert told[-1] <= 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scope", ["layer", "row"])
def test_more_zeros_never_lower_the_error(method, scope):
    """Of ``obs`` by the nested masks that it makes; of the others on these problems, by a wide margin of sparsity."""
    if scope not in METHODS[method].scopes:
        pytest.skip(f"{method} has no scope {scope}")
    shares = [i / COLUMNS for i in range(COLUMNS)] if method == "obs" else [0.2, 0.5, 0.8]
    errors = [solver(method).solve(problem(Pattern(share, scope)), ignore).error for share in shares]
    assert all(after >= before - 1e-9 for before, after in itertools.pairwise(errors))


@pytest.mark.parametrize("removals", [1, 6, 12, 21])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_obs_equals_the_textbook_loop(removals, seed):
    one = problem(Pattern(removals / COLUMNS, "row"), seed)
    solution = solver("obs").solve(one, ignore)
    expected = optimal_brain_surgeon(one.target, one.hessian, removals)
    assert torch.equal(solution.mask, expected != 0)
    assert torch.allclose(solution.weight, expected, rtol=1e-9, atol=1e-9)


def test_obs_does_not_depend_on_its_batches():
    one = problem(Pattern(0.5, "row"))
    whole, single = solver("obs").solve(one, ignore), dataclasses.replace(solver("obs"), batch_bytes=1).solve(one, ignore)
    assert torch.equal(whole.mask, single.mask)
    assert torch.allclose(whole.weight, single.weight, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("pattern", [Pattern(0.5, "row"), Pattern.parse("2:4")], ids=matrix_id)
def test_obs_leaves_the_best_weights_on_its_mask(pattern):
    one = problem(pattern)
    solution = solver("obs").solve(one, ignore)
    weight, _ = refit(one, solution.mask, ignore)
    assert torch.allclose(weight, solution.weight, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pattern", [Pattern(0.5), Pattern(0.8), Pattern(0.5, "row"), Pattern(0.8, "row"), *map(Pattern.parse, BANKS[:3])])
def test_better_solvers_leave_less_error(pattern):
    errors = {}
    for method in METHODS:
        kept = dataclasses.replace(pattern, scope="row") if method == "obs" else pattern
        errors[method] = sum(solver(method).solve(problem(kept, seed, correlation=0.1), ignore).error for seed in range(20))
    assert errors["admm"] < 0.95 * errors["sparsegpt"]
    assert errors["obs"] < errors["sparsegpt"] or pattern.scope == "layer"
    assert errors["sparsegpt"] < min(errors["wanda"], errors["magnitude"])


def test_wanda_is_obs_with_a_diagonal_hessian():
    one = problem(Pattern(0.5, "row"))
    diagonal = dataclasses.replace(one, hessian=torch.diag(one.input_norm**2))
    assert torch.equal(solver("wanda").solve(one, ignore).mask, solver("obs").solve(diagonal, ignore).mask)


def test_layers_that_share_an_input_share_its_factors():
    one = problem()
    other = dataclasses.replace(one, target=one.target * 2)
    assert other.factors is one.factors
    assert dataclasses.replace(one, hessian=one.hessian * 2).factors is not one.factors
