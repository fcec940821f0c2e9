"""Rates, intervals and differences, against values worked out by hand and against SciPy."""

import json
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from robustprune.attacks.scores import Result, compare, score
from robustprune.base.rates import mcnemar, paired_interval, wilson
from tests.attacks.traces import result, trace

OUTCOMES = st.sampled_from(["skipped", "held", "flipped", "stopped"])
COUNTS = st.integers(0, 300)


def results(*outcomes):
    return [result(outcome, example) for example, outcome in enumerate(outcomes)]


def test_wilson_against_a_published_value():
    rate = wilson(81, 263)  # Newcombe 1998, table I, method 3
    assert (round(rate.low, 4), round(rate.high, 4)) == (0.2553, 0.3662)


@given(st.integers(1, 10_000), st.data())
def test_the_interval_holds_the_rate(trials, data):
    rate = wilson(data.draw(st.integers(0, trials)), trials)
    assert 0 <= rate.low <= rate.value <= rate.high <= 1
    assert rate.low < rate.high


@given(st.integers(1, 1000), st.data())
def test_wilsons_interval_is_scipys(trials, data):
    successes = data.draw(st.integers(0, trials))
    theirs = binomtest(successes, trials).proportion_ci(0.95, "wilson")
    ours = wilson(successes, trials)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_of_nothing_nothing_is_known():
    rate = wilson(0, 0)
    assert (rate.value, rate.low, rate.high) == (None, 0, 1)
    scores = score([])
    assert (scores.examples, scores.acc.value, scores.aua.value, scores.asr.value, scores.similarity_mean) == (0, None, None, None, None)


def test_a_result_is_what_the_trace_says():
    told = trace("flipped")
    assert Result.of(told) == Result(0, told.text, 1, "A nice film.", "flipped", told.queries, pytest.approx(1 / 3), None, 0.1)


def test_scores_follow_the_papers_definitions():
    scores = score(results("skipped", "held", "held", "flipped", "flipped", "flipped"))
    assert (scores.examples, scores.skipped, scores.held, scores.flipped) == (6, 1, 2, 3)
    assert scores.acc.value == pytest.approx(5 / 6)
    assert scores.aua.value == pytest.approx(2 / 6)
    assert scores.asr.value == pytest.approx(3 / 5)
    assert scores.asr.value == pytest.approx(1 - scores.aua.value / scores.acc.value)
    assert scores.complete


def test_the_intervals_are_of_the_right_numbers():
    scores = score(results("skipped", "held", "held", "flipped", "flipped", "flipped", "stopped"))
    assert (scores.acc, scores.aua, scores.asr) == (wilson(5, 6), wilson(2, 6), wilson(3, 5))


@given(st.lists(OUTCOMES, max_size=20))
def test_texts_that_were_stopped_change_no_score(outcomes):
    every = results(*outcomes)
    ended = [one for one in every if one.outcome != "stopped"]
    with_them, without = score(every).to_json(), score(ended).to_json()
    stopped = with_them.pop("stopped"), without.pop("stopped")
    assert stopped == (len(every) - len(ended), 0)
    assert (with_them.pop("complete"), without.pop("complete")) == (len(every) == len(ended), True)
    assert with_them == without


def test_failed_texts_are_counted_and_change_no_score():
    whole, broken = score(results("held", "flipped")).to_json(), score(results("held", "flipped"), failed=2).to_json()
    assert (whole.pop("failed"), broken.pop("failed")) == (0, 2)
    assert (whole.pop("complete"), broken.pop("complete")) == (True, False)
    assert whole == broken


def test_queries_are_of_attacked_texts_the_rest_of_flipped_ones():
    scores = score([
        result("skipped", 0, queries=1, words_changed=0.0, similarity=None),
        result("stopped", 1, queries=1000, words_changed=0.9, similarity=0.1),
        result("held", 2, queries=30, words_changed=0.8, similarity=0.2),
        result("flipped", 3, queries=10, words_changed=0.1, similarity=0.9),
        result("flipped", 4, queries=20, words_changed=0.3, similarity=0.7),
        result("flipped", 5, queries=20, words_changed=0.2, similarity=None),
    ])  # fmt: skip
    assert scores.queries_mean == pytest.approx((30 + 10 + 20 + 20) / 4)
    assert scores.words_changed_mean == pytest.approx(0.2)
    assert scores.similarity_mean == pytest.approx(0.8)


def test_where_nothing_flipped_there_is_no_similarity():
    assert score([result("held", similarity=0.5), result("skipped", 1)]).similarity_mean is None


def test_a_recipe_that_takes_words_away_is_measured_on_the_texts_that_held():
    reduced = [result("held", 0, words_changed=0.8, similarity=0.4), result("held", 1, words_changed=0.4, similarity=0.6), result("skipped", 2)]
    scores = score(reduced, "input-reduction")
    assert (scores.words_changed_mean, scores.similarity_mean) == (pytest.approx(0.6), pytest.approx(0.5))
    assert score(reduced, "textfooler").words_changed_mean == 0


def test_scores_are_a_flat_object():
    flat = json.loads(json.dumps(score(results("held", "flipped", "flipped")).to_json()))
    assert not any(isinstance(value, dict | list) for value in flat.values())
    assert (flat["aua_low"], flat["aua"], flat["aua_high"]) == (wilson(1, 3).low, 1 / 3, wilson(1, 3).high)


@given(COUNTS, COUNTS)
def test_mcnemar_is_scipys_exact_test(first, second):
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar(first, second) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(first, second) == mcnemar(second, first)


def test_where_nothing_differs_mcnemar_is_certain_of_nothing():
    assert mcnemar(0, 0) == mcnemar(1, 0) == mcnemar(7, 7) == 1.0
    assert mcnemar(0, 6) == 2 / 64
    assert 0 <= mcnemar(0, 5000) < 1e-300  # many texts do no harm


def test_the_second_less_the_first():
    """Of four common texts the first model holds one, the second three, among them not the first's."""
    first, second = results("held", "flipped", "skipped", "flipped"), results("flipped", "held", "held", "held")
    told = compare(first, second)
    assert (told.examples, told.only_first, told.only_second) == (4, 1, 3)
    assert told.aua_difference == pytest.approx(3 / 4 - 1 / 4)
    assert told.p == mcnemar(1, 3)


def test_models_that_hold_the_same_texts_do_not_differ():
    told = compare(results("held", "flipped", "skipped"), results("held", "skipped", "flipped"))
    assert (told.aua_difference, told.only_first, told.only_second, told.p) == (0, 0, 0, 1)


@given(st.lists(st.tuples(OUTCOMES, OUTCOMES), max_size=20))
def test_a_comparison_is_of_the_texts_that_ended_for_both(pairs):
    first, second = results(*(one for one, _ in pairs)), results(*(other for _, other in pairs))
    told, turned = compare(first, second), compare(second, first)
    both = [place for place, pair in enumerate(pairs) if "stopped" not in pair]
    assert told.examples == len(both)
    ours, theirs = (score([every[place] for place in both]).aua.value or 0.0 for every in (first, second))
    assert told.aua_difference == pytest.approx(theirs - ours)
    assert (turned.aua_difference, turned.only_first, turned.only_second, turned.p) == (-told.aua_difference, told.only_second, told.only_first, told.p)
    assert (told.only_second > told.only_first) == (told.aua_difference > 0)


def test_the_interval_of_a_difference_worked_out_by_hand():
    """Of 198 texts only the first holds 3, only the second 23: 4/200 and 24/200 after the adjustment."""
    low, high = paired_interval(3, 23, 198)
    assert (low + high) / 2 == pytest.approx(0.1)
    assert (high - low) / 2 == pytest.approx(1.959964 * ((0.14 - 0.01) / 200) ** 0.5, rel=1e-6)


@given(COUNTS, COUNTS, COUNTS)
def test_the_interval_of_a_difference_holds_it_and_turns_with_it(first, second, neither):
    pairs = first + second + neither
    low, high = paired_interval(first, second, pairs)
    assert -1 <= low <= (second - first) / max(pairs, 1) <= high <= 1
    assert paired_interval(second, first, pairs) == pytest.approx((-high, -low))


@pytest.mark.parametrize(("first", "second"), [(0.02, 0.12), (0.1, 0.1), (0.0, 0.05), (0.3, 0.4)])
def test_the_interval_of_a_difference_covers_what_it_should(first, second):
    """Over all outcomes of 60 texts, weighted by how likely they are, it holds the true difference in about 95 of 100 cases."""
    texts, covered = 60, 0.0
    for a in range(texts + 1):
        for b in range(texts + 1 - a):
            low, high = paired_interval(a, b, texts)
            if low <= second - first <= high:
                covered += comb(texts, a) * comb(texts - a, b) * first**a * second**b * (1 - first - second) ** (texts - a - b)
    assert 0.935 < covered <= 1.0


def test_the_order_of_the_results_does_not_matter():
    first, second = results("held", "flipped", "held"), results("flipped", "flipped", "held")
    assert compare(first[::-1], second) == compare(first, second)


def test_a_text_that_failed_for_one_is_left_out():
    told = compare(results("held", "held", "flipped"), results("held", "flipped")[1:])
    assert (told.examples, told.only_first, told.only_second) == (1, 1, 0)


def test_different_texts_are_not_compared():
    first, second = results("held", "flipped"), results("held", "flipped")
    with pytest.raises(ValueError, match="different texts"):
        compare(first, [second[0], result("held", 1, text="Another film.")])
