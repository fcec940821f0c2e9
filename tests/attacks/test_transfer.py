"""Three texts and two models, small enough to count by hand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustprune.attacks.transfer import Cell, transfer
from robustprune.base.rates import wilson
from tests.attacks.traces import result

# The dense model is fooled on all three. The sparse one has the third text wrong from the start and holds on the second.
RESULTS = {
    "dense": [result("flipped", 0, perturbed="d0"), result("flipped", 1, perturbed="d1"), result("flipped", 2, perturbed="d2")],
    "sparse": [result("flipped", 0, perturbed="s0"), result("held", 1), result("skipped", 2)],
}
WRONG = {"dense": {"d0", "d1", "d2"}, "sparse": {"s0", "d1", "d2"}}


def fake(name, asked=None):
    """A model that answers 0 (all labels are 1) to the texts that it has wrong."""

    def predict(texts):
        if asked is not None:
            asked.append((name, list(texts)))
        return [0 if text in WRONG[name] else 1 for text in texts]

    return predict


@pytest.fixture
def table():
    return transfer(RESULTS, {name: fake(name) for name in RESULTS})


def test_the_table_counted_by_hand(table):
    assert table.cells == (Cell("dense", "dense", 3, 3), Cell("dense", "sparse", 2, 1), Cell("sparse", "dense", 1, 0), Cell("sparse", "sparse", 1, 1))


def test_a_text_that_the_target_had_wrong_anyway_is_not_counted(table):
    """The sparse model is wrong on d2, but not because of the attack."""
    (third,) = [row for row in table.texts if row["perturbed"] == "d2"]
    assert third["fools"] == {"dense": True, "sparse": None}


def test_text_by_text(table):
    told = [(row["source"], row["example"], row["perturbed"], row["fools"]["dense"], row["fools"]["sparse"]) for row in table.texts]
    assert told == [("dense", 0, "d0", True, False), ("dense", 1, "d1", True, True), ("dense", 2, "d2", True, None), ("sparse", 0, "s0", False, True)]
    assert all(row["text"] == RESULTS["dense"][row["example"]].text for row in table.texts)


@pytest.mark.parametrize("known", ["stopped", None])
def test_a_text_of_which_nothing_is_known_for_the_target_is_not_counted(known):
    """It was stopped by a time limit, or could not be attacked."""
    sparse = [RESULTS["sparse"][0], *([result("stopped", 1)] if known else []), RESULTS["sparse"][2]]
    table = transfer({"dense": RESULTS["dense"], "sparse": sparse}, {name: fake(name) for name in RESULTS})
    assert Cell("dense", "sparse", 1, 0) in table.cells


def test_only_texts_that_flipped_are_asked_about():
    asked = []
    transfer(RESULTS, {name: fake(name, asked) for name in RESULTS})
    assert {(name, text) for name, texts in asked for text in texts} == {(name, text) for name in RESULTS for text in ("d0", "d1", "d2", "s0")}


def test_where_nothing_flipped_nobody_is_asked_and_nothing_is_known():
    asked = []
    table = transfer({"dense": [result("held")], "sparse": [result("skipped")]}, {name: fake(name, asked) for name in RESULTS})
    assert asked == []
    assert [(cell.texts, cell.rate.value) for cell in table.cells] == [(0, None)] * 4
    assert table.texts == ()


def test_the_rates_are_told_with_their_intervals(table):
    document = json.loads(json.dumps(table.to_json()))
    cell = next(cell for cell in document["cells"] if (cell["source"], cell["target"]) == ("dense", "sparse"))
    assert cell == {"source": "dense", "target": "sparse", "texts": 2, "fooled": 1, "rate": 0.5, "low": wilson(1, 2).low, "high": wilson(1, 2).high}
    assert len(document["texts"]) == 4


@given(st.data())
def test_the_table_is_the_sum_of_its_texts_and_its_diagonal_is_1(data):
    """Models that answer as their own attacks say; of other models' texts they think what they like."""
    names = ("a", "b", "c")
    outcomes = st.lists(st.sampled_from(["skipped", "held", "flipped", "stopped"]), min_size=4, max_size=4)
    found = {name: [result(one, i, perturbed=f"{name}{i}") for i, one in enumerate(data.draw(outcomes))] for name in names}
    fools = data.draw(st.sets(st.tuples(st.sampled_from(names), st.sampled_from([f"{name}{i}" for name in names for i in range(4)]))))
    predict = {name: lambda texts, name=name: [0 if text[0] == name or (name, text) in fools else 1 for text in texts] for name in names}
    table = transfer(found, predict)
    assert [(cell.source, cell.target) for cell in table.cells] == [(source, target) for source in names for target in names]
    for cell in table.cells:
        told = [row["fools"][cell.target] for row in table.texts if row["source"] == cell.source]
        assert (cell.texts, cell.fooled) == (len(told) - told.count(None), told.count(True))
        if cell.source == cell.target:
            assert cell.fooled == cell.texts == sum(one.outcome == "flipped" for one in found[cell.source])
