"""What is held out of a training is no part of what is trained on."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustprune.base.errors import DataError
from robustprune.texts import datasets
from robustprune.texts.datasets import Texts
from robustprune.training.split import KEPT_WORDS, OVERLAP_WORDS, split


def made(texts):
    return Texts("made", "local folder", "train", tuple(texts), tuple(range(len(texts))))


def overlap(one, other):
    """Whether one text is a run of words of the other, at least OVERLAP_WORDS long; looked for in the plainest way."""
    inner, outer = sorted((one.lower().split(), other.lower().split()), key=len)
    return len(inner) >= OVERLAP_WORDS and f" {' '.join(inner)} " in f" {' '.join(outer)} "


def check_apart(texts, held_out):
    left, kept = split(texts, held_out)
    assert len(kept) == held_out
    assert not [(one, other) for one in left.texts for other in kept.texts if overlap(one, other)]
    return left, kept


# Few words, so that texts lie within each other by chance.
SENTENCES = st.lists(st.lists(st.sampled_from(["a", "b", "B"]), min_size=1, max_size=9).map(" ".join), min_size=20, max_size=40)


@given(SENTENCES, st.integers(1, 3))
def test_no_text_to_train_on_lies_in_a_held_out_one_or_holds_it(sentences, held_out):
    texts = made(sentences)
    try:
        left, kept = check_apart(texts, held_out)
    except DataError:
        return
    # Only what overlaps is left out, and every text keeps its label.
    rest = [row for row in range(len(texts)) if row not in kept.labels]
    assert left == texts.take(row for row in rest if not any(overlap(texts.texts[row], other) for other in kept.texts))
    assert kept == texts.take(kept.labels)
    assert all(len(text.split()) >= KEPT_WORDS for text in kept.texts)


def test_phrases_of_a_held_out_sentence_vanish_from_training():
    sentence = "A gripping film that never loses its way ."
    phrases = ["a gripping film", "never loses its way", "Film That Never"]
    others = ["a dull film", "its way", "film", "never loses the way", "gripping that film", "agripping film that"]
    left, kept = split(made([*others[:3], *phrases, *others[3:], sentence]), 1)
    assert kept.texts == (sentence,)
    assert left.texts == tuple(others)
    assert left.labels == (0, 1, 2, 6, 7, 8)


def test_the_same_text_twice_and_a_longer_one_that_holds_it_go_too():
    sentence = "one two three four five six"
    texts = made([f"{sentence} seven", sentence.upper(), "zero one two", "two three four", "six five four"])
    for held_out in (1, 2):
        left, kept = check_apart(texts, held_out)
        assert left.texts == ("zero one two", "six five four"), kept.texts


def test_the_split_depends_on_the_texts_alone():
    texts = datasets.load("demo-reviews", "calibration")
    first = split(texts, 20)
    random.seed(5)
    split(texts.sample(100, 3), 7)
    assert split(texts, 20) == first


def test_the_demo_reviews_are_split_exactly():
    texts = datasets.load("demo-reviews", "calibration")
    left, kept = check_apart(texts, 40)
    assert set(left.texts) | set(kept.texts) <= set(texts.texts)
    assert len(left) > 0.9 * (len(texts) - 40)


def test_nothing_held_out_leaves_everything():
    texts = made(["a b c", "a b c d e f"])
    left, kept = split(texts, 0)
    assert left == texts
    assert len(kept) == 0


def test_more_than_there_are_cannot_be_held_out():
    texts = made(["too short"] * 5 + ["one two three four five six", "six five four three two one"])
    with pytest.raises(DataError, match=r"3 texts.*'made': only 2 texts have at least 6 words"):
        split(texts, 3)


def test_something_must_be_left_to_train_on():
    with pytest.raises(DataError, match="is left to train on"):
        split(made(["one two three four five six", "two three four"]), 1)
