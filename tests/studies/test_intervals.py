"""Intervals over texts and seeds: they come down to the known ones, and they cover what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustprune.base.rates import paired_interval, wilson
from robustprune.studies import intervals


@given(st.lists(st.booleans(), min_size=1, max_size=80))
def test_one_seed_gives_wilsons_interval(outcomes):
    table = np.array([outcomes], dtype=float)
    expected = wilson(sum(outcomes), len(outcomes))
    got = intervals.rate(table)
    assert (got.value, got.low, got.high) == pytest.approx((expected.value, expected.low, expected.high))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_one_seed_gives_the_interval_for_pairs(pairs):
    first, second = (np.array([side], dtype=float) for side in zip(*pairs, strict=True))
    got = intervals.difference(first, second)
    low, high = paired_interval(int((first > second).sum()), int((second > first).sum()), len(pairs))
    assert got.value == pytest.approx(float((second - first).mean()))
    assert (max(got.low, -1), min(got.high, 1)) == pytest.approx((low, high))


def test_seeds_that_agree_in_everything_add_nothing():
    once = np.array([[1.0] * 20 + [0.0] * 40])
    assert intervals.rate(np.repeat(once, 5, axis=0)).low == pytest.approx(intervals.rate(once).low)


def test_seeds_that_differ_widen_the_interval():
    texts = np.array([[1.0] * 30 + [0.0] * 30])
    apart = np.concatenate([np.array([[1.0] * 55 + [0.0] * 5]), np.array([[1.0] * 5 + [0.0] * 55])])
    assert intervals.rate(apart).high - intervals.rate(apart).low > intervals.rate(texts).high - intervals.rate(texts).low


def test_no_seed_at_zero_or_one_is_ever_certain():
    for value in (0.0, 1.0):
        rate = intervals.rate(np.full((3, 60), value))
        assert rate.value == value
        assert 0.03 < rate.high - rate.low < 0.1


def test_the_intervals_cover_what_they_estimate():
    """Texts of their own difficulty, seeds of their own luck: 95 % intervals hold the true mean at least nine times in ten."""
    rng, inside, inside_difference, rounds = np.random.default_rng(0), 0, 0, 400
    truth = _mean_of(rng, 20_000, 0.0)
    lead = _mean_of(rng, 20_000, 0.5) - truth
    for _ in range(rounds):
        texts = rng.normal(size=60)
        first, second = (_table(rng, texts, shift) for shift in (0.0, 0.5))
        rate, gap = intervals.rate(first), intervals.difference(first, second)
        inside += rate.low <= truth <= rate.high
        inside_difference += gap.low <= lead <= gap.high
    assert inside / rounds > 0.9
    assert inside_difference / rounds > 0.9


def _table(rng, texts, shift, seeds=3):
    luck = rng.normal(scale=0.2, size=(seeds, 1))
    return (rng.random((seeds, len(texts))) < 1 / (1 + np.exp(-(texts + luck + shift)))).astype(float)


def _mean_of(rng, texts, shift):
    return _table(rng, rng.normal(size=texts), shift, seeds=50).mean()


def test_weighted_differences_ask_for_a_share():
    dense, sparse = np.array([[1.0] * 40 + [0.0] * 20]), np.array([[1.0] * 30 + [0.0] * 30])
    assert intervals.difference(dense, sparse, weight=0.5).value == pytest.approx(30 / 60 - 0.5 * 40 / 60)


def test_different_texts_are_refused():
    with pytest.raises(ValueError, match="the same"):
        intervals.difference(np.zeros((1, 3)), np.zeros((1, 4)))


def test_rates_of_counts_take_seeds_into_account():
    assert intervals.of_counts(np.array([0.9]), 200) == wilson(180, 200)
    apart = intervals.of_counts(np.array([0.8, 1.0]), 200)
    assert apart.high - apart.low > intervals.of_counts(np.array([0.9, 0.9]), 200).high - intervals.of_counts(np.array([0.9, 0.9]), 200).low
