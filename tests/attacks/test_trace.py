"""A trace holds the whole story, survives being written down, and answers what is asked of it."""

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustprune.attacks.traces.changes import Change, Word, places
from robustprune.attacks.traces.trace import STEPS, VERSION, AttackTrace, Candidate, Candidates, Query, Rank, Swap
from tests.attacks.traces import trace, words_of

TEXTS, NUMBERS, INDICES = st.text(max_size=8), st.floats(allow_nan=False), st.integers(0, 50)
SHARES = st.lists(NUMBERS, max_size=3).map(tuple)
CHANGES = st.lists(st.builds(Change, INDICES, INDICES, INDICES, TEXTS, TEXTS), max_size=3).map(tuple)
CANDIDATES = st.lists(st.builds(Candidate, TEXTS, st.none() | TEXTS, st.none() | NUMBERS), max_size=3).map(tuple)
A_STEP = st.one_of(
    st.builds(Rank, st.dictionaries(INDICES, NUMBERS, max_size=4), st.lists(INDICES, max_size=4).map(tuple)),
    st.builds(Candidates, st.none() | INDICES, TEXTS, CANDIDATES),
    st.builds(Query, TEXTS, SHARES, st.none() | INDICES),
    st.builds(Swap, CHANGES, NUMBERS, NUMBERS),
)
A_TRACE = st.builds(
    AttackTrace, text=TEXTS, perturbed=TEXTS, words=st.lists(st.builds(Word, TEXTS, INDICES, INDICES), max_size=3).map(tuple), label=st.integers(0, 1),
    labels=st.tuples(TEXTS, TEXTS), victim=st.fixed_dictionaries({"name": TEXTS, "digest": TEXTS}), recipe=TEXTS,
    settings=st.dictionaries(TEXTS, st.none() | st.booleans() | INDICES | NUMBERS | TEXTS, max_size=3), resources=st.dictionaries(TEXTS, TEXTS, max_size=3),
    changes=CHANGES, steps=st.lists(A_STEP, max_size=5).map(tuple),
    probabilities=st.fixed_dictionaries(dict.fromkeys(("original", "perturbed"), st.tuples(NUMBERS, NUMBERS))),
    outcome=st.sampled_from(["skipped", "flipped", "held", "stopped"]), queries=INDICES, seconds=NUMBERS,
    example=st.none() | INDICES,
)  # fmt: skip


def long_story():
    """Two swaps, the right one first, of a text with three words; a third word's turn came to nothing."""
    text = "A truly good film."
    words = words_of(text)
    early, late = Change(1, 2, 7, "truly", "really"), Change(3, 13, 17, "film", "movie")
    steps = (
        Query(text, (0.1, 0.9)), Rank({3: 0.5, 1: 0.3, 2: 0.1}, (3, 1, 2)),
        Candidates(3, "film", (Candidate("movie"),)), Query("A truly good movie.", (0.3, 0.7), 3), Swap((late,), 0.9, 0.7),
        Candidates(1, "truly", (Candidate("really"),)), Query("A really good movie.", (0.4, 0.6), 1), Swap((early,), 0.7, 0.6),
        Candidates(2, "good", (Candidate("bad", "SharedWordClass"),)), Candidates(3, "movie", ()),
    )  # fmt: skip
    return replace(trace("held"), text=text, perturbed="A really good movie.", words=words, changes=(early, late), steps=steps)


@given(A_TRACE)
def test_a_trace_survives_json(one):
    assert AttackTrace.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_every_kind_of_step_is_among_those_tried():
    """The steps that survive JSON above are all there are, and a hand-made attack has each of them."""
    assert {type(step) for step in trace().steps} == set(STEPS.values()) == {Rank, Candidates, Query, Swap}
    assert [step["kind"] for step in trace().to_json()["steps"]] == ["query", "query", "rank", "candidates", "query", "swap"]


@pytest.mark.parametrize("version", [1, VERSION + 1, str(VERSION), None])
def test_a_trace_of_another_version_is_refused(version):
    with pytest.raises(ValueError, match=f"version {version}"):
        AttackTrace.from_json({**trace().to_json(), "version": version})


@pytest.mark.parametrize("name", [field.name for field in fields(AttackTrace) if field.name != "example"])
def test_a_trace_that_lacks_something_is_refused(name):
    value = trace().to_json()
    del value[name]
    with pytest.raises((KeyError, TypeError, ValueError)):
        AttackTrace.from_json(value)


@pytest.mark.parametrize(
    "value",
    [
        None, [], "trace", 2, {}, {"version": VERSION}, {"colour": "red"}, {"words": 5}, {"words": [5]}, {"words": [{"text": "a"}]}, {"changes": [{}]},
        {"labels": None}, {"steps": {}, "changes": None}, {"steps": [{}]}, {"steps": [{"kind": "dream"}]}, {"steps": [{"kind": []}]}, {"steps": [5]},
        {"steps": [{"kind": "query", "text": "a"}]}, {"steps": [{"kind": "rank", "importance": {"first": 1.0}, "order": []}]}, {"probabilities": []},
        {"steps": [{"kind": "rank", "importance": [], "order": []}]},
    ],
)  # fmt: skip
def test_what_is_no_trace_is_refused(value):
    """A whole object that is none, or a trace with one field gone wrong."""
    if isinstance(value, dict) and value and "version" not in value:
        value = {**trace().to_json(), **value}
    with pytest.raises((KeyError, TypeError, ValueError)):
        AttackTrace.from_json(value)


def test_swaps_are_told_in_the_order_in_which_they_were_made():
    story = long_story()
    assert [change.index for change in story.changes] == [1, 3]
    assert story.swaps == [{"index": 3, "from": "film", "to": "movie"}, {"index": 1, "from": "truly", "to": "really"}]


def test_a_change_that_no_step_tells_of_comes_last():
    story = long_story()
    told = replace(story, steps=tuple(step for step in story.steps if not isinstance(step, Swap) or step.before == 0.9))
    assert [swap["from"] for swap in told.swaps] == ["film", "truly"]


def test_the_word_at_hand_is_the_one_whose_turn_came_last():
    story = long_story()
    words, tried = [""], [0]
    for end in range(1, len(story.steps) + 1):
        so_far = replace(story, steps=story.steps[:end])
        words, tried = [*words, so_far.at_hand], [*tried, so_far.words_tried]
    assert list(dict.fromkeys(words)) == ["", "film", "truly", "good", "movie"]
    assert sorted(tried) == tried
    assert tried[-1] == 3  # the second turn of word 3 is the same word's


def test_the_importance_is_what_the_ranking_found():
    assert long_story().importance == {1: 0.3, 2: 0.1, 3: 0.5}
    assert trace("skipped").importance == {}


@pytest.mark.parametrize(
    ("spans", "share"),
    [([], 0), ([(8, 12)], 1 / 4), ([(2, 7), (13, 17)], 2 / 4), ([(2, 12)], 2 / 4), ([(7, 8)], 0), ([(12, 12)], 0), ([(10, 10)], 1 / 4), ([(0, 18)], 1),
     ([(9, 10), (11, 12)], 1 / 4)],
)  # fmt: skip
def test_words_changed_counts_the_words_that_a_change_touches(spans, share):
    """Of "A truly good film.": a word, two, two at once, only the space between, something put between, or into a word, all, one twice."""
    changed = tuple(Change(0, start, end, "", "x") for start, end in spans)
    assert replace(long_story(), changes=changed).words_changed == pytest.approx(share)


def test_of_a_text_without_words_no_share_is_changed():
    assert replace(trace("held"), text="!?", words=places("!?", []), changes=(Change(0, 0, 1, "!", "."),)).words_changed == 0


def test_the_predicted_class_is_the_likeliest():
    flipped, skipped = trace("flipped"), trace("skipped")
    assert [flipped.predicted(which) for which in ("original", "perturbed")] == [1, 0]
    assert skipped.predicted("original") == 0


def test_passed_counts_the_candidates_that_nothing_refused():
    assert Candidates(0, "good", (Candidate("nice"), Candidate("bad", "SharedWordClass"), Candidate("fine", None, 0.9))).passed == 2
