"""The form that a near-synonym needs in the place of a word: inflection, letter case, and a or an before it."""

import re
from functools import lru_cache

# Forms that are rarer than this are not used: the Zipf frequency of wordfreq, 3 means once in a million words.
LEAST_FREQUENT = 2.6
# Penn tags whose form is the lemma itself.
PLAIN_TAGS = {"NN", "VB", "VBP", "JJ", "RB"}
SPELLINGS = ((r"is(e|ing|ed|es|er|ation)\b", r"iz\1"), (r"ys(e|ing|ed|es)\b", r"yz\1"), ("our", "or"), (r"tre\b", "ter"), ("ll", "l"), ("ae", "e"), ("-", ""))
CLASSES = {"n": "NOUN", "v": "VERB", "a": "ADJ", "r": "ADV"}
VOWEL_SOUND = re.compile(r"[aeio]|u(?!ni(?!n|m)|nan|s[aeu]|rin|ti|to|bi|ku|ra)|hono|hour|heir|honest")
CONSONANT_SOUND = re.compile(r"one(?:$|-|s)|once|eu|ewe")


@lru_cache(50_000)
def inflected(lemma: str, tag: str) -> str:
    """The form of a lemma for a Penn tag; an empty string if there is none that English readers know.

    Nothing is made up: an adjective that is compared with "more" has no form for JJR.
    """
    if tag in PLAIN_TAGS:
        return lemma
    import lemminflect

    if tag == "NNS" and lemma not in lemminflect.getLemma(lemma, upos="NOUN"):
        return lemma  # a plural already
    forms = lemminflect.getInflection(lemma, tag, inflect_oov=False)
    if not forms and tag in ("NNS", "VBZ", "VBG", "VBD", "VBN") and "-" not in lemma:
        forms = tuple(form for form in lemminflect.getInflection(lemma, tag) if frequency(form) >= LEAST_FREQUENT)
    others = [form for form in forms if form != lemma] if tag == "NNS" else []  # "films" rather than "film", which is a plural too
    return max(others or forms, key=frequency, default="")


def may_be(lemma: str, form: str, tag: str) -> bool:
    """True if the form can be that of the lemma for a Penn tag. Taggers err: "the performances elicit" may be read as a past tense."""
    import lemminflect

    return form in lemminflect.getInflection(lemma, tag)


@lru_cache(50_000)
def frequency(word: str) -> float:
    """How frequent a word is in English: wordfreq's Zipf frequency, the logarithm to base 10 of its occurrences in 10^9 words; 0 if unknown."""
    from wordfreq import zipf_frequency

    return zipf_frequency(word, "en")


@lru_cache(50_000)
def lemmas(word: str, letter: str) -> tuple[str, ...]:
    """The lemmas that a word can have as a member of a word class (n, v, a or r), in lower case."""
    import lemminflect

    return tuple(dict.fromkeys(lemma.lower() for lemma in lemminflect.getLemma(word.lower(), upos=CLASSES[letter], lemmatize_oov=False)))


def same_word(word: str, other: str) -> bool:
    """True if the two are spellings of one word, as in British and American English."""
    return _american(word) == _american(other)


def _american(word: str) -> str:
    for british, american in SPELLINGS:
        word = re.sub(british, american, word)
    return word


def takes_an(word: str) -> bool:
    """True if "an" stands before the word, as far as its spelling tells."""
    word = word.lower()
    return bool(VOWEL_SOUND.match(word)) and not CONSONANT_SOUND.match(word)


def fits_article(before: str, word: str) -> bool:
    """True unless the word before is "a" or "an" and the other of the two would be needed."""
    return before.lower() not in ("a", "an") or takes_an(word) == (before.lower() == "an")
