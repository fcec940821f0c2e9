"""What a dictionary can tell of near-synonyms, and the sheets for readers."""

import json
from collections import Counter

import pytest

from robustprune.attacks.resources import loading
from robustprune.bench import believable
from tests.attacks.traces import trace


def kind(word, letter, other, text="The plot of this film is thin."):
    return believable._kind(text, word, letter, other, loading.sentence_encoder())


def test_pairs_are_told_by_wordnet_into_four_kinds():
    assert kind("films", "n", "movies", "We saw two films at the cinema.") == "matched"
    assert kind("happy", "a", "happiness") == "inflections"
    assert kind("explode", "v", "explosion") == "inflections"
    assert kind("dogs", "n", "dog") == "inflections"
    assert kind("film", "n", "banana") == "unlisted"
    assert {kind("plot", "n", "game"), kind("plot", "n", "patch")} <= {"matched", "mismatched"}


def test_what_lexicons_list_is_counted():
    found = believable._listed("good", "a", ["fine", "bad", "table"], {"good": {"fine"}, "fine": {"good"}}, {"good": {"bad"}})
    assert found == Counter(antonyms=1, known=3, listed=1)


def test_the_demo_texts_are_measured():
    result = believable.measure("demo-reviews", 12, 0, None, lambda _line: None)
    assert result["texts"] == 12
    assert 0.3 < result["coverage"] < 0.8
    assert result["candidates_mean"] > 1.5
    assert result["antonyms"] == 0
    assert result["lexicon"] is None
    assert sum(result[name] for name in ("matched", "mismatched", "inflections", "unlisted")) == pytest.approx(1)


def test_a_sheet_has_numbered_items_and_is_the_same_for_the_same_seed(tmp_path):
    traces = [trace("flipped", text=f"A good film, number {number}.") for number in range(5)] + [trace("held", text="A good film."), trace("skipped")]
    counts = believable.write_sheet(traces, tmp_path / "a", 0)
    assert counts == {"candidates": 6, "swaps": 5, "texts": 5}
    believable.write_sheet(traces, tmp_path / "b", 0)
    for name in counts:
        first, second = (json.loads((tmp_path / folder / f"{name}.json").read_text(encoding="utf-8")) for folder in "ab")
        assert first == second
        assert [one["id"] for one in first] == list(range(counts[name]))
    assert json.loads((tmp_path / "a" / "swaps.json").read_text(encoding="utf-8"))[0]["swap"] == "good -> nice"
