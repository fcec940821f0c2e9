"""A hand-made trace, told word by word."""

from dataclasses import replace

from robustprune.attacks.traces.changes import Change
from robustprune.attacks.traces.trace import Candidate, Candidates, Query, Rank, Swap
from robustprune.attacks.traces.word_turns import turns
from tests.attacks.traces import trace, words_of

TEXT = "A truly good film."
RANKING = (
    Query(TEXT, (0.1, 0.9)), Query("A good film.", (0.2, 0.8), 1), Query("A truly film.", (0.7, 0.3), 2), Query("A truly good.", (0.1, 0.9), 3),
    Rank({1: 0.1, 2: 0.6, 3: 0.0}, (2, 1, 3)),
)  # fmt: skip
# "good" has three replacements that pass, of which the second does most; the refusals come behind them.
GOOD = Candidates(
    2, "good",
    (Candidate("nice"), Candidate("fine"), Candidate("great"),
     Candidate("goods", "WordClass"), Candidate("bad", "Similarity", 0.2), Candidate("well", "WordClass")),
)  # fmt: skip
GOOD_TRIED = (Query("A truly nice film.", (0.2, 0.8), 2), Query("A truly fine film.", (0.4, 0.6), 2), Query("A truly great film.", (0.05, 0.95), 2))
GOOD_TAKEN = Swap((Change(2, 8, 12, "good", "fine"),), 0.9, 0.6)
# "truly" has one that makes things no better, so nothing is taken; "film" has none at all.
TRULY = Candidates(1, "truly", (Candidate("really"),))
TRULY_TRIED = Query("A really fine film.", (0.3, 0.7), 1)
FILM = Candidates(3, "film", (Candidate("movies", "WordClass"),))


def told(*steps):
    return turns(replace(trace("held"), text=TEXT, words=words_of(TEXT), steps=steps))


def test_two_words_turns():
    good, truly = told(*RANKING, GOOD, *GOOD_TRIED, GOOD_TAKEN, TRULY, TRULY_TRIED)
    assert (good.index, good.word, good.importance, good.taken) == (2, "good", 0.6, "fine")
    assert good.tried == (("nice", 0.8), ("fine", 0.6), ("great", 0.95))
    assert good.best == ("fine", 0.6)
    assert good.refused == {"WordClass": 2, "Similarity": 1}
    assert (truly.index, truly.word, truly.importance, truly.taken) == (1, "truly", 0.1, None)
    assert (truly.tried, truly.best, truly.refused) == ((("really", 0.7),), ("really", 0.7), {})


def test_a_word_without_replacements_has_a_turn_all_the_same():
    (film,) = told(*RANKING, FILM)
    assert (film.word, film.importance, film.tried, film.best, film.taken, film.refused) == ("film", 0.0, (), None, None, {"WordClass": 1})


def test_a_budget_that_was_spent_within_a_turn_leaves_the_rest_untried():
    (good,) = told(*RANKING, GOOD, *GOOD_TRIED[:1])
    assert good.tried == (("nice", 0.8),)


def test_what_is_asked_about_again_is_tried_once():
    """Some recipes try every replacement to rank the words, and again at the word's turn; what was refused is never tried."""
    good, film = told(*RANKING, GOOD, *GOOD_TRIED, FILM, *GOOD_TRIED, GOOD_TAKEN, Query("A truly fine movies.", (0.5, 0.5), 3))
    assert good.tried == (("nice", 0.8), ("fine", 0.6), ("great", 0.95))
    assert film.tried == ()


def test_queries_that_rank_words_try_nothing():
    assert told(*RANKING) == []
    good, film = told(*RANKING, GOOD, FILM)
    assert good.tried == film.tried == ()


def test_words_whose_candidates_are_found_together_keep_their_own():
    """An attack that looks at all words at once asks about them one after the other, or in any order."""
    good, truly = told(RANKING[0], GOOD, TRULY, GOOD_TRIED[0], TRULY_TRIED, *GOOD_TRIED[1:])
    assert good.tried == (("nice", 0.8), ("fine", 0.6), ("great", 0.95))
    assert truly.tried == (("really", 0.7),)
    assert good.importance is None


def test_a_word_that_has_a_second_turn_is_told_once():
    again, tried = Candidates(2, "good", (Candidate("superb"), Candidate("goods", "WordClass"))), Query("A really superb film.", (0.6, 0.4), 2)
    good, truly = told(*RANKING, GOOD, *GOOD_TRIED[:1], TRULY, TRULY_TRIED, again, tried, Swap((Change(2, 8, 12, "good", "superb"),), 0.9, 0.4))
    assert [good.word, truly.word] == ["good", "truly"]
    assert good.tried == (("nice", 0.8), ("superb", 0.4))
    assert good.refused == {"WordClass": 3, "Similarity": 1}
    assert (good.best, good.taken) == (("superb", 0.4), "superb")


def test_the_hand_made_attack_has_one_turn():
    (turn,) = turns(trace("flipped"))
    assert (turn.word, turn.importance, turn.tried, turn.taken, turn.refused) == ("good", 0.3, (("nice", 0.4),), "nice", {"SharedWordClass": 1})
    assert turns(trace("skipped")) == []
