"""Rates and intervals, against values worked out by hand."""

import pytest

from robustprune.attacks.metrics import score, wilson
from tests.attacks.traces import trace


def test_wilson_against_a_published_value():
    rate = wilson(81, 263)  # Newcombe 1998, table I, method 3
    assert (round(rate.low, 4), round(rate.high, 4)) == (0.2553, 0.3662)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (0, 1), (1, 1), (5, 10)])
def test_the_interval_holds_the_rate(successes, trials):
    rate = wilson(successes, trials)
    assert 0 <= rate.low <= rate.value <= rate.high <= 1


def test_of_nothing_nothing_is_known():
    assert wilson(0, 0).value is None


def test_scores_follow_the_papers_definitions():
    scores = score([trace("skipped"), trace("held"), trace("held"), trace("flipped"), trace("flipped"), trace("flipped")], stopped=2)
    assert (scores.examples, scores.skipped, scores.held, scores.flipped, scores.stopped) == (6, 1, 2, 3, 2)
    assert scores.acc.value == pytest.approx(5 / 6)
    assert scores.aua.value == pytest.approx(2 / 6)
    assert scores.asr.value == pytest.approx(3 / 5)
    assert scores.asr.value == pytest.approx(1 - scores.aua.value / scores.acc.value)
