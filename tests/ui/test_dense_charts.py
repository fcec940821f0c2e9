"""Figures of soups, lines between models, and tables."""

import pytest

from robustprune.lab.curves import Point
from robustprune.training.greedy_soup import Robustness, Step
from robustprune.ui.charts import dense_charts
from robustprune.ui.words import wording

STEPS = [
    Step("a", Robustness(0.9, 0.5), Robustness(0.9, 0.5), None, kept=True),
    Step("b", Robustness(0.9, 0.45), Robustness(0.9, 0.4), Robustness(0.9, 0.5), kept=False),
    Step("c", Robustness(0.8, 0.3), Robustness(0.9, 0.55), Robustness(0.9, 0.5), kept=True),
]
SOUP_WORDS = {"alone": "Alone", "kept": "Kept", "refused": "Refused", "soup": "Soup", "aua": "Aua"}
CURVE_WORDS = {"accuracy": "Accuracy", "aua": "Aua", "loss": "Loss", "share": "Share", "rate": "Rate"}


def by_name(figure):
    return {trace.name: trace for trace in figure.data}


def test_the_staircase_is_what_the_soup_was_after_each_turn():
    traces = by_name(dense_charts.soup_steps(STEPS, SOUP_WORDS))
    assert list(traces["Soup"].y) == [0.5, 0.5, 0.55]
    assert list(traces["Alone"].y) == [0.5, 0.45, 0.3]


def test_kept_and_refused_differ_by_more_than_colour():
    traces = by_name(dense_charts.soup_steps(STEPS, SOUP_WORDS))
    assert (list(traces["Kept"].x), list(traces["Refused"].x)) == (["a", "c"], ["b"])
    assert traces["Kept"].marker.symbol != traces["Refused"].marker.symbol


def test_a_soup_of_which_all_was_kept_has_no_refused():
    assert "Refused" not in by_name(dense_charts.soup_steps(STEPS[:1], SOUP_WORDS))


def point(share, aua=None):
    scores = None if aua is None else {"aua": aua, "aua_low": aua - 0.1, "aua_high": aua + 0.1}
    return Point(share, 0.3 + share, 0.9, 0.85, 0.95, scores)


def test_a_curve_shows_intervals_and_its_loss_apart():
    traces = by_name(dense_charts.averaging_curve([point(0.0), point(0.5), point(1.0)], CURVE_WORDS))
    assert set(traces) == {"Accuracy", "Loss"}
    assert list(traces["Loss"].y) == [0.3, 0.8, 1.3]
    assert traces["Loss"].yaxis == "y2"
    assert list(traces["Accuracy"].error_y.array) == pytest.approx([0.05] * 3)


def test_points_under_attack_are_drawn_where_they_are_known():
    traces = by_name(dense_charts.averaging_curve([point(0.0, 0.4), point(0.5), point(1.0, 0.5)], CURVE_WORDS))
    assert (list(traces["Aua"].x), list(traces["Aua"].y)) == ([0.0, 1.0], [0.4, 0.5])


def test_a_table_has_a_line_a_model_from_top_to_bottom():
    scores = {"acc": 0.9, "acc_low": 0.8, "acc_high": 0.95, "aua": 0.4, "aua_low": 0.3, "aua_high": 0.5}
    figure = dense_charts.side_by_side([{"name": "dense", "scores": scores}, {"name": "IMP", "scores": scores}], {"acc": "Acc", "aua": "Aua"})
    assert list(by_name(figure)["Aua"].y) == ["dense", "IMP"]
    assert list(by_name(figure)["Aua"].error_x.arrayminus) == pytest.approx([0.1, 0.1])
    assert figure.layout.yaxis.autorange == "reversed"


@pytest.mark.parametrize(("p", "printed"), [(1.0, "1.000"), (0.0123, "0.012"), (0.0005, "0.001"), (0.0004, "< 0.001"), (0.0, "< 0.001")])
def test_no_p_value_is_printed_as_zero(p, printed):
    assert wording.p_value(p) == printed
