"""The budget of zeros goes where it costs least."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustprune.pruning.allocation import allocate, lower_hull, named

SHARES = [0.2, 0.4, 0.5, 0.6, 0.8]
curves = st.lists(st.lists(st.floats(0, 1), min_size=5, max_size=5).map(sorted), min_size=2, max_size=6)


@given(errors=curves, sizes=st.lists(st.integers(1, 10_000), min_size=6, max_size=6), sparsity=st.floats(0.2, 0.8))
def test_the_budget_is_spent_exactly_and_within_what_was_measured(errors, sizes, sparsity):
    layers = {f"l{i}": list(zip(SHARES, row, strict=True)) for i, row in enumerate(errors)}
    weights = dict(zip(layers, sizes, strict=False))
    found = allocate(layers, weights, sparsity)
    assert sum(weights[name] * share for name, share in found.items()) == pytest.approx(sparsity * sum(weights.values()))
    assert all(SHARES[0] - 1e-9 <= share <= SHARES[-1] + 1e-9 for share in found.values())


def test_a_layer_that_suffers_less_gets_more_zeros():
    layers = {"frail": [(s, s**2) for s in SHARES], "robust": [(s, 0.1 * s**2) for s in SHARES]}
    found = allocate(layers, {"frail": 100, "robust": 100}, 0.5)
    assert found["robust"] > 0.5 > found["frail"]


def test_layers_that_are_alike_are_treated_alike():
    found = allocate({name: [(s, s**2) for s in SHARES] for name in "ab"}, {"a": 100, "b": 100}, 0.5)
    assert found == {"a": pytest.approx(0.5), "b": pytest.approx(0.5)}


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_the_hull_is_convex_and_below_the_curve(errors):
    hull = lower_hull(list(zip(SHARES, errors, strict=True)))
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(hull)]
    assert slopes == sorted(slopes)
    assert (hull[0][0], hull[-1][0]) == (SHARES[0], SHARES[-1])


def test_the_longest_name_counts():
    assert named([("a.b", 0.2), ("a", 0.1)], ["a.b", "a.c", "d"]) == {"a.b": 0.2, "a.c": 0.1}
