"""Where two texts differ is told so that the one can be made from the other, whatever they hold."""

import random
import string
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from robustprune.attacks.traces.changes import Word, apply, between, places
from tests.attacks.traces import words_of

WORDS = st.text(string.ascii_letters + "éßабאב0", min_size=1, max_size=4)
FEW = st.sampled_from(["a", "aa", "ab", "b"])
GLUE = st.text(" .,!(\n\t\u200b\u202e\U0001f600", min_size=1, max_size=3)
ANY = st.text(st.sampled_from("ab é.,-'\n\u200b\u202e\u05d0\U0001f600\x00"), max_size=12)
ODD = (
    "", " ", "word", "a good film", "!?", "\U0001f600", "\U0001f600 fine \U0001f600", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd", "one\ntwo\r\nthree",
    "\x00good\x07", "\u200bgo\u200bod", "\u202egood\u202c film", "cafe\u0301", "\u597d\u7535\u5f71",
)  # fmt: skip


@st.composite
def texts(draw):
    """Words with something between them, and perhaps something in front and behind."""
    words = draw(st.lists(WORDS, max_size=6))
    glue = [draw(GLUE) for _ in words]
    return draw(st.sampled_from(["", " ", "("])) + "".join(word + after for word, after in zip(words, glue, strict=True)).rstrip(
        draw(st.sampled_from(["", " ."]))
    )


@st.composite
def edited(draw):
    """A text, and what an attack may have made of it."""
    text = draw(texts())
    pieces = _pieces(text)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(pieces) - 1))
        kind = draw(st.sampled_from(["swap", "misspell", "delete", "insert", "characters"]))
        if kind == "swap":
            pieces[place] = draw(WORDS)
        elif kind == "misspell":  # with a character that is none of a word
            pieces[place] = draw(GLUE) + draw(WORDS)
        elif kind == "delete":
            pieces[place : place + draw(st.integers(1, 3))] = [""]
        elif kind == "insert":
            pieces.insert(place, draw(WORDS) + " ")
        else:
            at = draw(st.integers(0, len(pieces[place])))
            pieces[place] = pieces[place][:at] + draw(st.one_of(GLUE, WORDS)) + pieces[place][at:]
    return text, "".join(pieces)


@st.composite
def cut(draw):
    """Any text with any of its stretches taken for words, as a tokenizer for a language without spaces may do: words may touch."""
    text = draw(ANY)
    ends = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    spans = list(pairwise(ends))
    return text, tuple(Word(text[start:end], start, end) for start, end in spans if draw(st.booleans()))


def _pieces(text):
    pieces, position = [], 0
    for word in words_of(text):
        pieces += [text[position : word.start], word.text]
        position = word.end
    return [*pieces, text[position:]]


def check(text, words, other, other_words):
    found = between(text, words, other, other_words)
    assert apply(text, found) == other
    for change in found:
        assert text[change.start : change.end] == change.old != change.new
        touched = [i for i, word in enumerate(words) if change.start < word.end and word.start < change.end]
        assert change.index == touched[0] if touched else 0 <= change.index < max(len(words), 1)
    assert all(one.end <= next_one.start for one, next_one in pairwise(found))
    assert bool(found) == (text != other)


@given(edited())
def test_the_changes_make_the_other_text(pair):
    text, other = pair
    check(text, words_of(text), other, words_of(other))


@given(texts(), texts())
def test_the_changes_make_a_text_that_has_nothing_to_do_with_it(text, other):
    check(text, words_of(text), other, words_of(other))


@given(cut(), cut())
@example(("", ()), ("aa.", (Word("a", 1, 2), Word(".", 2, 3))))  # two things put in at one place
def test_the_changes_make_the_other_text_whatever_counts_as_a_word(one, other):
    text, words = one
    assert apply(text, between(text, words, *other)) == other[0]


@pytest.mark.parametrize(
    ("text", "other"), [("good film", "(nice film"), ("xenon lamps", "\u00d7enon lamps"), ("good", "\u200bgood bye"), ("good.", "(nice).")]
)
def test_characters_put_before_a_changed_word_are_before_it(text, other):
    check(text, words_of(text), other, words_of(other))


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_told_apart(text):
    for other in ODD:
        check(text, words_of(text), other, words_of(other))


@given(st.lists(FEW, min_size=1, max_size=8), st.lists(GLUE, min_size=9, max_size=9), st.data())
def test_words_swapped_one_for_one_are_one_change_each(words, glue, data):
    """Few different words, so that what comes in the place of one often stands beside it already."""
    text = glue[-1] + "".join(word + after for word, after in zip(words, glue, strict=False))
    words = words_of(text)
    swapped = data.draw(st.dictionaries(st.integers(0, len(words) - 1), FEW))
    swapped = {index: new for index, new in swapped.items() if new != words[index].text}
    other = text
    for index in sorted(swapped, reverse=True):
        other = other[: words[index].start] + swapped[index] + other[words[index].end :]
    found = between(text, words, other, words_of(other))
    expected = [(index, words[index].start, words[index].end, words[index].text, swapped[index]) for index in sorted(swapped)]
    assert [(change.index, change.start, change.end, change.old, change.new) for change in found] == expected


@given(st.lists(WORDS, min_size=1, max_size=8, unique=True), st.data())
def test_a_deleted_word_is_one_change_with_its_index(words, data):
    gone = data.draw(st.integers(0, len(words) - 1))
    text, other = " ".join(words), " ".join(words[:gone] + words[gone + 1 :])
    (change,) = between(text, words_of(text), other, words_of(other))
    assert (change.index, change.old.strip(), change.new) == (gone, words[gone], "")


def test_in_a_long_text_of_common_words_two_deleted_words_are_two_changes():
    words = random.Random(0).choices(["the", "a", "of", "good", "film", "and", "was", "not", "so", "it", "long", "plot"], k=300)
    text, other = " ".join(words), " ".join(words[:100] + words[101:200] + words[201:])
    found = between(text, words_of(text), other, words_of(other))
    assert [(change.old.strip(), change.new) for change in found] == [(words[100], ""), (words[200], "")]
    assert apply(text, found) == other


def test_a_word_that_falls_in_two_is_one_change():
    (change,) = between("a good film", words_of("a good film"), "a go od film", words_of("a go od film"))
    assert (change.index, change.start, change.end, change.old, change.new) == (1, 2, 6, "good", "go od")


def test_repeated_words_have_places_of_their_own():
    assert [(word.start, word.end) for word in places("so so, sofa so", ["so", "so", "sofa", "so"])] == [(0, 2), (3, 5), (7, 11), (12, 14)]
    assert places("", []) == ()


@given(st.lists(FEW, max_size=10))
def test_places_are_in_order_and_hold_the_words(words):
    text = " ".join(words)
    found = places(text, words)
    assert [text[word.start : word.end] for word in found] == [word.text for word in found] == words
    assert all(one.end < next_one.start for one, next_one in pairwise(found))


def test_a_word_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="substring"):
        places("a film", ["film", "a"])
