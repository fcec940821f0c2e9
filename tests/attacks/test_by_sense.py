"""Near-synonyms by sense: what is offered in a sentence, what is refused and why, and what is left alone."""

import re

import pytest

from robustprune.attacks.resources import loading, sense_list, sentences
from robustprune.attacks.resources.by_sense import BySense
from robustprune.attacks.resources.language import is_english
from robustprune.attacks.resources.sense_list import SenseList
from robustprune.attacks.traces.changes import places
from robustprune.base.errors import ResourceMissing
from robustprune.base.progress import silent


@pytest.fixture(scope="module")
def source():
    return loading.by_sense(loading.sentence_encoder(), silent)


def synonyms(source, text, word, occurrence=0):
    words = places(text, re.findall(r"[\w'\u2019-]+", text))
    index = [i for i, one in enumerate(words) if one.text == word][occurrence]
    return source.offers(text, words, index, word)


def offered(source, text, word):
    return [one.word for one in synonyms(source, text, word) if one.refused_by is None]


def refused(source, text, word):
    return {one.word: one.refused_by for one in synonyms(source, text, word) if one.refused_by}


def test_the_sense_follows_the_sentence(source):
    film, crime = "The plot of this film is thin and its characters are dull.", "Police uncovered a plot to kill the president."
    assert "story" in offered(source, film, "plot")
    assert "conspiracy" not in offered(source, film, "plot")
    assert refused(source, film, "plot")["conspiracy"] == "WrongSense"
    assert "conspiracy" in offered(source, crime, "plot")
    assert "story" not in offered(source, crime, "plot")


def test_every_offer_says_what_both_words_share_and_where_it_comes_from(source):
    for one in synonyms(source, "A gripping film with a clever script.", "clever"):
        assert one.sense.startswith("clever: ")
        assert one.source in (sense_list.SOURCE, "WordNet 3.0")


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("The movies were long.", "movies", "films"),
        ("It begins slowly.", "begins", "starts"),
        ("It is the funniest of them all.", "funniest", None),
        ("The child was smiling.", "child", "kid"),
    ],
)
def test_the_form_is_that_of_the_word_that_goes(source, text, word, expected):
    found = offered(source, text, word)
    assert found == [] or expected is None or expected in found
    assert "amusing" not in found  # "amusinger" there is none


def test_a_and_an_fit(source):
    for text, article in (("It is a gripping film.", "a"), ("It is an absorbing film.", "an")):
        word = text.split()[3]
        for one in offered(source, text, word):
            assert (one[0] in "aeiou") == (article == "an"), one
    assert "WrongForm" in refused(source, "It is a gripping film.", "gripping").values()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The second film was never seen by all three men in Paris.", ["second", "never", "all", "three", "Paris"]),
        ("He hardly could have been twice as bad.", ["hardly", "could", "twice"]),
        ("They gave up and went in.", ["gave", "went"]),
        ("It is science fiction for the young at heart.", ["science", "fiction", "heart"]),
        ("They took part in the festival.", ["part"]),
        ("It follows two brothers on a road trip to a film festival.", ["road", "film"]),
    ],
)
def test_names_numbers_negations_quantifiers_particles_and_expressions_are_left_alone(source, text, words):
    for word in words:
        assert offered(source, text, word) == [], word


def test_a_verb_needs_a_sense_for_its_frame(source):
    assert "concentrates" in offered(source, "The story focuses on two sisters.", "focuses")
    assert offered(source, "The story feels contrived and slow.", "feels") == ["seems"]
    assert offered(source, "They agreed with the critics.", "agreed") == ["concurred"]  # and not "consented", which takes another preposition
    assert "WrongForm" in refused(source, "I think that he is right.", "think").values()


def test_how_a_verb_is_used_rules_out_the_other_senses(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("run | vi | move fast on foot | sprint | race, street, legs, fast\nrun | vt | be in charge of | manage | -\n", encoding="utf-8")
    own = BySense(loading.sentence_encoder(), SenseList(path), None)
    text = "After the race he runs the shop in the street."  # all but the object speaks for the first sense
    assert offered(own, text, "runs") == ["manages"]
    assert offered(own, "He runs fast in the race.", "runs") == ["sprints"]


def test_of_nouns_fewer_near_synonyms_are_offered_than_of_adjectives(tmp_path):
    path = tmp_path / "list.txt"
    words = "large, little, new, old, late, early, warm, cold"
    path.write_text(f"plot | n | story | story, tale, account, report, version | -\nodd | a | strange | {words} | -\n", encoding="utf-8")
    own = BySense(loading.sentence_encoder(), SenseList(path), None)
    assert offered(own, "The plot is odd.", "plot") == ["story", "tale", "account"]  # the nearest first
    assert offered(own, "The plot is odd.", "odd") == words.split(", ")[:7]


def test_no_offer_is_a_listed_opposite(source):
    from robustprune.attacks.resources.synonyms import read_antonyms

    antonyms = read_antonyms()
    text = "A good, funny and honest film that is never boring, ugly or cheap."
    for word in ("good", "funny", "honest", "boring", "ugly", "cheap"):
        assert not [one for one in offered(source, text, word) if frozenset((word, one)) in antonyms]


def test_a_second_look_at_the_same_text_gives_the_same(source):
    text = "The plot of this film is thin."
    assert synonyms(source, text, "plot") == synonyms(source, text, "plot")
    source.forget()
    assert "story" in offered(source, text, "plot")


@pytest.mark.parametrize(
    "text", ["good", "GOOD FILM", "def f(x): return x + 1", "https://example.org/a?b=c", "这部电影很好", "Ein guter Film mit Witz.", "\U0001f600 !!"]
)
def test_odd_texts_have_answers_too(source, text):
    words = places(text, re.findall(r"\w+", text))
    for index in range(len(words)):
        assert all(one.word for one in source.offers(text, words, index, words[index].text))


def test_curly_apostrophes_are_read_as_straight_ones(source):
    straight, curly = "It's a gripping film that doesn't drag.", "It\u2019s a gripping film that doesn\u2019t drag."
    assert offered(source, straight, "gripping") == offered(source, curly, "gripping") != []
    assert offered(source, curly, "doesn\u2019t") == []


def test_without_wordnet_our_list_serves_alone_and_the_other_way_round(source, tmp_path):
    encoder = loading.sentence_encoder()
    assert "story" in offered(BySense(encoder, SenseList(), None), "The plot of this film is thin.", "plot")
    alone = BySense(encoder, None, source._wordnet)
    found = synonyms(alone, "A hideous and repulsive monster.", "hideous")
    assert {one.source for one in found} == {"WordNet 3.0"}


@pytest.mark.parametrize(
    ("content", "told"),
    [("plot | n | a story | tale\n", "Line 1"), ("plot | n |  | tale | -\n", "Line 1"), ("\xff", None)],
)
def test_a_list_that_is_none_is_refused_with_its_line(tmp_path, content, told):
    path = tmp_path / "list.txt"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ResourceMissing, match=told or "cannot be read"):
        SenseList(path)


def test_our_list_is_clean():
    """Every line has lemmas in lower case, known frames, and no word as its own synonym; no listed pair is a listed pair of opposites."""
    from robustprune.attacks.resources.synonyms import read_antonyms

    antonyms, seen = read_antonyms(), 0
    for sense in SenseList():
        seen += 1
        assert sense.gloss or not sense.synonyms
        assert all(re.fullmatch(r"(n|a|ab|ap|r|vt|vi|vc|vl|[nav]:[a-z]+)", frame) for frame in sense.frames), sense
        assert len({frame[0] for frame in sense.frames}) == 1
        assert len(set(sense.synonyms)) == len(sense.synonyms)
        for other in sense.synonyms:
            assert re.fullmatch("[a-z]+(-[a-z]+)*", other), sense
            assert other != sense.headword
            assert frozenset((sense.headword, other)) not in antonyms, (sense.headword, other)
    assert seen > 10_000


def test_a_missing_tagger_is_told_with_what_to_do(monkeypatch):
    monkeypatch.setattr(sentences, "PACKAGE", "no-such-package")
    sentences.tagger.cache_clear()
    with pytest.raises(ResourceMissing, match="no-such-package"):
        sentences.tagger()
    assert "no-such-package" in str(sentences.trouble())
    monkeypatch.undo()
    sentences.tagger.cache_clear()
    assert sentences.trouble() is None


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("Ein guter Film mit viel Witz.", False),
        ("Un film magnifique et touchant", False),
        ("\u8fd9\u90e8\u7535\u5f71\u5f88\u597d", False),
        ("good", True),
        ("GOOD FILM", True),
        ("slickly", True),
        ("hewitt 's forte is leaning forward", True),
        ("https://example.org/a", True),
        ("!!", True),
    ],
)
def test_a_text_that_is_not_english_is_told_from_one_that_is(text, english):
    assert is_english(text) == english
