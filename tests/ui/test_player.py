"""A moment of a replay on the page: user text is data, and nothing of it is lost."""

import re
from dataclasses import replace
from html import unescape

import pytest

from robustprune.attacks.traces.changes import Change
from robustprune.attacks.traces.replay_frames import Frame, frames
from robustprune.ui.attack import player, try_it
from tests.attacks.traces import trace, words_of

EVIL = "<script>alert(1)</script> good <img src=x onerror=alert(2)> & more."


def shown(html):
    """What a reader reads: the text without what is struck out."""
    return unescape(re.sub(r"<[^>]*>", "", re.sub(r"<del[^>]*>.*?</del> ?", "", html)))


def test_every_moment_shows_the_text_as_it_stands():
    one = trace("flipped")
    for frame in frames(one):
        assert shown(player.sentence_html(one, frame)) == frame.text(one.text)


def test_markup_in_a_text_stays_text_at_every_moment():
    one = trace("flipped", text=EVIL, word="good", to="<b>nice</b>")
    for frame in frames(one):
        html = player.sentence_html(one, frame)
        assert not re.search(r"<(script|img|b)\b", html)
        assert shown(html) == frame.text(one.text)


@pytest.mark.parametrize(
    "changes",
    [
        (Change(0, 0, 6, "A good", "One fine"),),  # two words at once
        (Change(1, 2, 6, "good", ""),),  # one deleted
        (Change(1, 6, 6, "", " old"),),  # one put in
        (Change(0, 0, 1, "A", "The"), Change(2, 7, 11, "film", "movie")),
        (Change(2, 11, 12, ".", "!"),),  # what stands behind the last word
    ],
)
def test_changes_of_every_shape_are_shown_in_their_places(changes):
    one = trace("held")
    frame = Frame("swap", changes, 1, (), changes, 3, 0.5)
    assert shown(player.sentence_html(one, frame)).replace(" ", "") == frame.text(one.text).replace(" ", "")


def test_words_are_shaded_by_their_importance_from_the_ranking_on():
    start, rank, *_ = frames(trace("flipped"))
    one = trace("flipped")
    assert "0.55" not in player.sentence_html(one, start)
    assert re.search(r'rgba\(224,123,57,0\.55\)[^>]*">good<', player.sentence_html(one, rank))


def test_the_word_at_hand_is_framed():
    one = trace("flipped")
    html = player.sentence_html(one, next(frame for frame in frames(one) if frame.kind == "candidates"))
    assert re.search(r'outline[^>]*">good<', html)
    assert html.count("outline") == 1


def test_candidates_stand_with_the_most_harmful_on_top_and_the_refused_below():
    frame = next(frame for frame in frames(trace("flipped")) if frame.kind == "candidates")
    rows = player.candidates(frame)
    assert [row["Candidate"] for row in rows] == ["nice", "bad"]
    assert [row["What became of it"] for row in rows] == ["put to the model", "other word class"]
    assert rows[0]["True label then"] == 0.4


def test_a_moment_of_an_attack_that_ranks_no_words_can_be_shown():
    one = replace(trace("held"), text="x y", words=words_of("x y"), perturbed="x y", steps=(), changes=())
    for frame in frames(one):
        assert shown(player.sentence_html(one, frame)) == "x y"
        assert player.what_happens(one, frame)


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [("a b c", "a b c", 0), ("a b c", "a x c", 1), ("a b c", "a c", 1), ("a b c", "a b c d e", 2), ("a b", "x y", 2), ("", "a", 1)],
)
def test_changed_words_are_counted(before, after, count):
    assert try_it.words_changed(before, after) == count
