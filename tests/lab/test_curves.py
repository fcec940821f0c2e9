"""The averages on the line between two models."""

import threading

import pytest

from robustprune import lab
from robustprune.base.errors import Cancelled, ModelError, SpecError
from robustprune.lab import curves
from robustprune.specs.attack import AttackSpec
from tests.small_models import classifier

SETTINGS = {"dataset": "demo-reviews", "points": 3, "examples": 24}


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """Two small classifiers of one size."""
    names = []
    for seed in (0, 1):
        folder = tmp_path_factory.mktemp(f"end-{seed}")
        model, tokenizer = classifier(labels=2, seed=seed)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        names.append(str(folder))
    return names


def test_the_ends_are_the_models_and_the_middle_their_mean(ends, empty_home):
    curve = lab.averaging_curve(*ends, **SETTINGS)
    assert [point.share for point in curve.points] == [0, 0.5, 1]
    for point in curve.points:
        assert point.accuracy == lab.evaluate(curves.point_name(*ends, point.share), "demo-reviews", examples=24).accuracy


def test_a_curve_comes_back_from_the_store(ends, empty_home, monkeypatch):
    assert lab.find_averaging_curve(*ends, **SETTINGS) is None
    made = lab.averaging_curve(*ends, **SETTINGS)
    monkeypatch.setattr(curves, "load_model", None)
    assert lab.averaging_curve(*ends, **SETTINGS) == made == lab.find_averaging_curve(*ends, **SETTINGS)


def test_attacked_points_carry_their_scores(ends, empty_home):
    curve = lab.averaging_curve(*ends, **SETTINGS, attacked=3, spec=AttackSpec("deepwordbug", query_budget=20))
    assert all(point.scores["examples"] == 3 for point in curve.points)
    assert lab.find_averaging_curve(*ends, **SETTINGS) is None, "a curve without attacks is another one"


def test_what_does_not_average_is_refused(ends, empty_home, tmp_path):
    model, tokenizer = classifier(labels=2, hidden_size=16)
    model.save_pretrained(tmp_path / "narrow")
    tokenizer.save_pretrained(tmp_path / "narrow")
    with pytest.raises(ModelError, match="differ in architecture"):
        lab.averaging_curve(ends[0], str(tmp_path / "narrow"), **SETTINGS)


@pytest.mark.parametrize("points", [1, 102])
def test_so_few_or_many_points_are_refused(ends, points, empty_home):
    with pytest.raises(SpecError, match=f"{points} points"):
        lab.averaging_curve(*ends, dataset="demo-reviews", points=points)


def test_a_cancelled_curve_leaves_nothing(ends, empty_home):
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        lab.averaging_curve(*ends, **SETTINGS, progress=lambda *_: cancel.set(), cancel=cancel)
    assert lab.find_averaging_curve(*ends, **SETTINGS) is None
