"""Our antonym list: it is well made, it holds what it must, and what is left of antonyms among the synonyms is little."""

import pytest

from robustprune.attacks.resources.encoder import SentenceEncoder
from robustprune.attacks.resources.names import MIN_COSINE
from robustprune.attacks.resources.synonyms import ANTONYMS, of_minilm, read_antonyms
from robustprune.base.progress import silent
from robustprune.bench import lexicon
from robustprune.bench.lexicon import content_words, read_lexicon, sentiment_words, shares
from robustprune.texts import datasets
from tests.conftest import SHARED


@pytest.fixture(scope="module")
def synonyms():
    return of_minilm(SentenceEncoder(), silent)


@pytest.fixture
def shared_lexicon():
    if not (SHARED / "lexicon").is_dir():
        pytest.skip(f"the shared lexicon is not at {SHARED}")
    return read_lexicon(SHARED / "lexicon")


@pytest.fixture
def reviews(shared_data):
    return datasets.load("sst2", "calibration")


def texts(*rows):
    words, labels = zip(*rows, strict=True)
    return datasets.Texts("here", "here", "train", words, labels)


def test_no_listed_antonym_is_offered(synonyms):
    index, offered = {word: i for i, word in enumerate(synonyms.words)}, [set(row[1:]) for row in synonyms.neighbours.tolist()]
    pairs = [[index[word] for word in pair] for pair in read_antonyms() if pair <= set(index)]
    assert len(pairs) > 5000
    assert not [(synonyms.words[i], synonyms.words[j]) for i, j in pairs if j in offered[i] or i in offered[j]]


def test_few_antonyms_are_left_among_the_synonyms_of_sentiment_words(synonyms, shared_lexicon, reviews):
    words = sentiment_words(reviews, 200, frozenset(synonyms.words))
    assert len(words) == 200
    found = shares(synonyms, words, MIN_COSINE, *shared_lexicon)
    assert found["candidates_a_word"] > 3, "with nothing offered, no antonym would be"
    # Without our list 1.8 % of the candidates are antonyms by the lexicon, and 16 % of its antonym pairs are offered.
    assert found["antonyms"] < 0.005
    assert found["antonym_pairs_offered"] < 0.02


def test_few_antonyms_are_left_among_the_synonyms_of_all_content_words(synonyms, shared_lexicon, reviews):
    found = shares(synonyms, content_words(reviews, frozenset(synonyms.words)), MIN_COSINE, *shared_lexicon)
    # Without our list 1.5 % and 18 %. What is left by the lexicon are names of countries and of colours above all.
    assert found["antonyms"] < 0.005
    assert found["antonym_pairs_offered"] < 0.05


OPPOSITES = """
    boring/exciting best/worst good/bad love/hate better/worse great/terrible beautiful/ugly beauty/ugly funny/unfunny interesting/uninteresting
    successful/failed success/failure fails/succeeds strong/weak stronger/weaker smart/stupid smarter/dumb happy/sad sadness/happiness fresh/stale
    bored/entertaining boredom/entertainment deep/shallow depth/shallow perfect/flawed masterpiece/garbage win/lose loses/victory cheap/expensive
    easier/difficult larger/tiny longer/shorter higher/low slow/quickly warmth/cold alive/lifeless honest/liar rejected/accept always/never
    consistently/unpredictable useful/pointless is/isn has/hadn does/doesn should/shouldn cannot/can
"""


@pytest.mark.parametrize("pair", OPPOSITES.split())
def test_well_known_antonyms_are_listed(pair):
    assert not {frozenset(pair.split("/"))} - read_antonyms()


SYNONYMS = "great/wonderful terrible/horrible stupid/dumb funny/hilarious unnecessary/pointless bravery/fearless awful/dreadful"


@pytest.mark.parametrize("pair", SYNONYMS.split())
def test_synonyms_are_not_listed(pair):
    assert not {frozenset(pair.split("/"))} & read_antonyms()


def test_the_list_is_sorted_and_each_pair_stands_under_both_words():
    listed = {}
    for line in ANTONYMS.read_text(encoding="utf-8").splitlines():
        headword, others = line.split(": ")
        assert headword not in listed, "each headword has one line"
        listed[headword] = others.split()
        assert len(set(listed[headword])) == len(listed[headword]), headword
        assert headword not in listed[headword]
    assert list(listed) == sorted(listed)
    assert not [(word, other) for word, others in listed.items() for other in others if word not in listed.get(other, ())]


def test_sentiment_words_tell_the_label_and_come_most_frequent_first(monkeypatch):
    monkeypatch.setattr(lexicon, "MIN_TEXTS", 3)
    rows = [("a superb film", 1)] * 8 + [("one Dreadful film", 0)] * 6 + [("the so-so film", 0)] * 4 + [("mediocre film", 0)] * 2
    found = texts(*rows)
    assert sentiment_words(found, 9) == ["superb", "dreadful", "so-so"], "neither 'film', nor stop words, nor what is rare"
    assert sentiment_words(found, 2) == ["superb", "dreadful"]
    assert sentiment_words(found, 9, {"so-so", "film"}) == ["so-so"]
