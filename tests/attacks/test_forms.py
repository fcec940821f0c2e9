"""Forms of near-synonyms: inflection, the articles before them, and the words of texts with curly apostrophes."""

import pytest

from robustprune.attacks.engine import build, library
from robustprune.attacks.resources import forms


@pytest.mark.parametrize(
    ("lemma", "tag", "form"),
    [
        ("movie", "NNS", "movies"), ("word", "NNS", "words"), ("words", "NNS", "words"), ("film", "NNS", "films"), ("begin", "VBN", "begun"),
        ("start", "VBZ", "starts"), ("funny", "JJR", "funnier"), ("amusing", "JJR", ""), ("charming", "JJS", ""), ("find", "VBD", "found"),
        ("story", "NN", "story"), ("tell", "VBP", "tell"),
    ],
)  # fmt: skip
def test_a_lemma_is_inflected_and_nothing_is_made_up(lemma, tag, form):
    assert forms.inflected(lemma, tag) == form


@pytest.mark.parametrize("word", ["amusing", "engaging", "hour", "honest", "unimportant", "unintended", "unusual", "urban", "utter", "idle", "odd"])
def test_an_stands_before_a_vowel_sound(word):
    assert forms.fits_article("an", word)
    assert not forms.fits_article("a", word)
    assert forms.fits_article("the", word)


@pytest.mark.parametrize("word", ["good", "unique", "universal", "useful", "usual", "European", "one-sided", "utopian", "unanimous", "university", "house"])
def test_a_stands_before_a_consonant_sound(word):
    assert forms.fits_article("A", word)
    assert not forms.fits_article("An", word)


def test_a_curly_apostrophe_splits_no_word_and_stop_words_are_known_with_it():
    words = library.textattack().shared.utils.words_from_text
    text = "It\u2019s a film that doesn\u2019t drag; \u2018quoted\u2019 isn't"
    assert words(text) == ["It\u2019s", "a", "film", "that", "doesn\u2019t", "drag", "quoted", "isn't"]
    attacked = library.textattack().shared.AttackedText(text)
    assert attacked.replace_word_at_index(2, "movie").text == text.replace("film", "movie")
    assert {"don't", "don\u2019t"} <= build.with_curly(["don't"])
