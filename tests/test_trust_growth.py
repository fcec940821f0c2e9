"""Whether the soak would see a leak, and only a leak: what a server might hold second by second, half an hour of it."""

import numpy as np
import pytest

from tests.trust import growth
from tests.trust.soak import MOST_GROWTH

SECONDS = np.arange(0, 1900)


def load(seed, leak):
    """A server that warms up, then works: jobs take up to 400 MB of their own for 5 to 50 seconds, with a moment between them."""
    draw = np.random.default_rng(seed)
    sizes = 1400 - 1200 * np.exp(-SECONDS / 200) + draw.normal(0, 15, SECONDS.size) + leak * SECONDS / 3600
    start = 0
    while start < SECONDS.size:
        end = start + int(draw.integers(5, 50))
        sizes[start:end] += draw.uniform(0, 400)
        start = end + int(draw.integers(1, 4))
    return list(zip(SECONDS, sizes, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_jobs_that_come_and_go_are_no_growth(seed):
    assert growth.of(load(seed, leak=0)).kept < MOST_GROWTH


@pytest.mark.parametrize("seed", range(20))
def test_a_leak_is_seen_whatever_the_jobs_do(seed):
    assert growth.of(load(seed, leak=400)).kept > MOST_GROWTH


def test_steady_growth_is_told_as_it_is():
    seen = growth.of([(second, 1000 + 300 * second / 3600) for second in SECONDS])
    assert [seen.kept, seen.low, seen.high, seen.held] == pytest.approx([300] * 4)
