"""The film of an attack: every moment follows from the one before, and the last is what the attack ended with."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from robustprune.attacks.traces.changes import Change
from robustprune.attacks.traces.replay_frames import frames
from robustprune.attacks.traces.trace import AttackTrace, Candidate, Candidates, Query, Swap
from robustprune.base import paths
from tests.attacks.traces import trace

SHIPPED = sorted((paths.ASSETS / "precomputed" / "attacks").glob("*/entry.json"))


def shipped(path):
    return AttackTrace.from_json(json.loads(path.read_text(encoding="utf-8"))["document"])


def test_a_flip_in_five_moments():
    start, rank, candidates, swap, end = frames(trace("flipped"))
    assert [frame.kind for frame in (start, rank, candidates, swap, end)] == ["start", "rank", "candidates", "swap", "end"]
    assert [frame.queries for frame in (start, rank, candidates, swap, end)] == [0, 2, 3, 3, 3]
    assert [frame.probability for frame in (start, rank, candidates, swap, end)] == [0.9, 0.9, 0.9, 0.4, 0.4]
    assert candidates.index == 1
    assert [(one.word, one.refused_by, one.probability) for one in candidates.tried] == [("nice", None, 0.4), ("bad", "SharedWordClass", None)]
    assert (swap.text("A good film."), end.text("A good film.")) == ("A nice film.", "A nice film.")
    assert swap.taken == swap.changes != ()
    assert end.taken == ()


@pytest.mark.parametrize(("outcome", "kinds"), [("held", ["start", "rank", "candidates", "end"]), ("skipped", ["start", "end"])])
def test_without_a_swap_the_text_stays(outcome, kinds):
    film = frames(trace(outcome))
    assert [frame.kind for frame in film] == kinds
    assert {frame.text("A good film.") for frame in film} == {"A good film."}


def test_a_second_swap_of_a_word_takes_the_place_of_the_first():
    one = trace("flipped")
    first, second = Change(1, 2, 6, "good", "fine"), Change(1, 2, 6, "good", "nice")
    film = frames(replace(one, steps=(Swap((first,), 0.9, 0.7), Swap((second,), 0.7, 0.4))))
    assert [frame.text(one.text) for frame in film] == ["A good film.", "A fine film.", "A nice film.", "A nice film."]


def test_a_candidate_that_the_budget_did_not_reach_has_no_answer():
    one = trace("held")
    film = frames(replace(one, steps=(Candidates(1, "good", (Candidate("nice"), Candidate("fine"))), Query("A nice film.", (0.2, 0.8), 1))))
    assert [(tried.word, tried.probability) for tried in film[1].tried] == [("nice", 0.8), ("fine", None)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_every_attack_that_ships_can_be_replayed_to_its_end(path):
    one = shipped(path)
    film = frames(one)
    assert film[0].text(one.text) == one.text
    assert film[-1].text(one.text) == film[-2].text(one.text) == one.perturbed
    assert film[-1].queries == one.queries
    assert film[-2].queries == one.queries or one.outcome == "skipped"  # whose single query found that there is nothing to attack
    assert film[-1].probability == one.probabilities["perturbed"][one.label]
    assert [frame.queries for frame in film] == sorted(frame.queries for frame in film)
    for before, after in pairwise(film):
        assert (after.changes == before.changes) or after.kind == "swap"


def test_there_are_attacks_that_ship():
    assert len(SHIPPED) >= 20
