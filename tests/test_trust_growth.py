"""Whether the soak would see a leak, and only a leak: what a server might hold at its rests, half an hour of them."""

import numpy as np
import pytest

from tests.trust import growth
from tests.trust.soak import MOST_GROWTH, ROUNDS

RESTS = np.arange(1, ROUNDS) * 1800 / ROUNDS


def at_rest(seed, leak, noise=20.0):
    """Some tens of megabytes more or less each time, as in the soak, and once a job that was not over."""
    draw = np.random.default_rng(seed)
    sizes = 1300 + leak * RESTS / 3600 + draw.normal(0, noise, RESTS.size)
    sizes[draw.integers(RESTS.size)] += noise * 6
    return list(zip(RESTS, sizes, strict=True))


def seen(leak):
    return np.array([growth.of(at_rest(seed, leak)).slope for seed in range(200)])


def test_a_server_that_keeps_no_more_is_not_said_to_grow():
    assert (seen(leak=0) < MOST_GROWTH).mean() > 0.95


def test_a_leak_is_seen():
    assert (seen(leak=500) > MOST_GROWTH).mean() > 0.95


def test_steady_growth_is_told_as_it_is():
    told = growth.of([(second, 1000 + 300 * second / 3600) for second in RESTS])
    assert [told.slope, told.low_slope, told.high_slope] == pytest.approx([300] * 3)
