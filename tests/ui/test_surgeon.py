"""The surgeon's toys: what the Hessian predicts is what the loss does."""

from itertools import pairwise

import numpy as np
import pytest

from robustprune.base.errors import SpecError
from robustprune.ui.learn.lesson import all_lessons
from robustprune.ui.learn.surgeon import MAX_CORRELATION, OPTIMA, SCALES, SIX, six_weights, surface

SURFACES, SEEDS = 300, 12


def random_surfaces():
    draw = np.random.default_rng(0)
    for _ in range(SURFACES):
        correlation = draw.uniform(-MAX_CORRELATION, MAX_CORRELATION)
        yield surface(correlation, tuple(draw.uniform(*SCALES, 2)), tuple(draw.uniform(*OPTIMA, 2)))


def test_the_predicted_loss_is_the_true_loss():
    for shown in random_surfaces():
        for weight in (0, 1):
            for compensated in (False, True):
                drop = shown.drop(weight, compensated)
                assert drop.predicted == pytest.approx(drop.true, abs=1e-9)


def test_the_inputs_are_as_they_were_asked_for():
    hessian = surface(0.7, (2.0, 0.5), (1.0, 1.0)).hessian
    assert hessian == pytest.approx(np.array([[4.0, 0.7], [0.7, 0.25]]), abs=1e-12)


def test_the_surgeon_lands_on_the_lowest_point_where_the_weight_is_zero():
    for shown in random_surfaces():
        for weight in (0, 1):
            lowest = np.array(shown.drop(weight, compensated=True).weights)
            assert lowest[weight] == 0
            for step in (-0.01, 0.01):
                beside = lowest.copy()
                beside[1 - weight] += step
                assert shown.loss(beside) > shown.loss(lowest)


def test_making_up_pays_off_exactly_as_the_inputs_are_alike():
    alone, made_up = (surface(0.6, (1.0, 1.0), (1.0, 1.5)).drop(0, compensated).true for compensated in (False, True))
    assert made_up == pytest.approx(alone * (1 - 0.6**2))


def preset():
    """The card that says that magnitude chooses wrong."""
    start = next(lesson for lesson in all_lessons() if lesson.id == "surgeon").cards[1].start
    return surface(start["correlation"], (start["scale_1"], start["scale_2"]), (start["optimum_1"], start["optimum_2"]))


def test_the_preset_misleads_magnitude():
    shown = preset()
    assert shown.smallest != shown.cheapest
    for compensated in (False, True):
        assert shown.drop(shown.smallest, compensated).true > 2 * shown.drop(shown.cheapest, compensated).true


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_engine_takes_the_cheapest_of_six_at_every_step(seed):
    removals = six_weights(0.9, seed)
    assert [removal.removed is None for removal in removals] == [True, *[False] * SIX]
    for before, after in pairwise(removals):
        left = {place: cost for place, cost in enumerate(before.costs) if cost is not None}
        assert after.removed == min(left, key=left.get)
        assert after.weights[after.removed] == 0
        assert after.predicted == pytest.approx(after.true, abs=1e-9)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_making_up_and_choosing_each_pay_off_at_the_first_removal(seed):
    for correlation in (-0.9, 0.0, 0.9):
        first = six_weights(correlation, seed)[1]
        assert first.true <= first.by_size_made_up + 1e-12 <= first.magnitude + 2e-12


def test_in_the_end_all_orders_cost_the_same():
    last = six_weights(0.9, 3)[-1]
    assert last.true == pytest.approx(last.magnitude)
    assert last.true == pytest.approx(last.by_size_made_up)


def test_equal_weights_are_a_tie():
    assert surface(0.5, (2.0, 1.0), (1.0, -1.0)).tie
    assert not surface(0.5, (2.0, 1.0), (1.0, 1.1)).tie


def test_the_picture_shows_the_loss():
    shown = preset()
    points = np.random.default_rng(0).normal(size=(5, 4, 2))
    losses = shown.losses(points)
    assert losses[2, 3] == pytest.approx(shown.loss(points[2, 3]))


@pytest.mark.parametrize("correlation", [1.0, -1.5, float("nan"), "much"])
def test_inputs_that_cannot_be_are_told(correlation):
    with pytest.raises(SpecError, match="correlation"):
        surface(correlation, (1.0, 1.0), (1.0, 1.0))
    with pytest.raises(SpecError, match="correlation"):
        six_weights(correlation, 0)
