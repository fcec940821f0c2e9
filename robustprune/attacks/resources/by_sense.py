"""Near-synonyms by sense: the source of synonyms that every machine has.

A word of a text is read in its sentence (:mod:`sentences`). Its senses come from our own list (:mod:`sense_list`) or, for words that the list
does not have, from WordNet. The sense is chosen by the context and by how usual it is: the text and the words around are compared with the
descriptions of the senses by MiniLM. Only near-synonyms of the chosen sense are offered, in the form that fits. What is not offered says
why: ``WrongSense``, ``WrongForm`` or ``Antonym``.

Words are read in the original text, whatever has been swapped in it before: a swap is always a near-synonym of the original word.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from robustprune.attacks.resources import forms, sentences
from robustprune.attacks.resources.encoder import SentenceEncoder
from robustprune.attacks.resources.names import MIN_ANGULAR_SIMILARITY_BY_SENSE
from robustprune.attacks.resources.sense_list import Sense, SenseList
from robustprune.attacks.resources.sentences import Reading
from robustprune.attacks.resources.synonyms import Synonym, read_antonyms
from robustprune.attacks.resources.wordnet_senses import WordNetSenses
from robustprune.attacks.traces.changes import Word

WRONG_SENSE, WRONG_FORM, ANTONYM = REFUSALS = ("WrongSense", "WrongForm", "Antonym")
# A sense is chosen by its share of exp(CONTEXT * mean cosine with text and words around + prior); the shares of a word's senses sum to 1.
CONTEXT = 12.0
AROUND = 6  # words on each side that count as the words around
LEAST_SHARE = 0.5
# Near-synonyms of one sense, by word class. Readers accept the first ones of a list more often than later ones, which pays for nouns and verbs
# soonest (docs/measured.md).
MOST = {"n": 3, "v": 3, "a": 7, "r": 7}
TEXTS = 64  # texts whose words are remembered


class BySense:
    """Near-synonyms by sense; a :class:`SynonymSource`."""

    min_cosine, min_similarity = -1.0, MIN_ANGULAR_SIMILARITY_BY_SENSE

    def __init__(self, encoder: SentenceEncoder, own: SenseList | None, wordnet: WordNetSenses | None) -> None:
        self._encoder, self._own, self._wordnet = encoder, own, wordnet
        self._antonyms = read_antonyms()
        self._known: OrderedDict[str, dict[int, list[Synonym]]] = OrderedDict()
        self._lock = threading.Lock()

    def offers(self, text: str, words: tuple[Word, ...], index: int, now: str) -> list[Synonym]:
        """The near-synonyms of a word of the original text: those that are offered first, nearest first, then the refused ones."""
        with self._lock:
            if text not in self._known:
                self._known[text] = self._all(text, words)
                if len(self._known) > TEXTS:
                    self._known.popitem(last=False)
            return self._known[text].get(index, [])

    def forget(self) -> None:
        """Clears what is remembered, so that every measurement starts in the same state."""
        self._known.clear()

    def _all(self, text: str, words: tuple[Word, ...]) -> dict[int, list[Synonym]]:
        document = sentences.parsed(text)
        read = {index: found for index, readings in sentences.readings(document, words).items() if (found := list(self._senses(readings)))}
        shares = self._shares(text, words, read)
        result = {}
        for index, found in read.items():
            offers = self._synonyms(words[index].text, [(reading, sense, share) for (reading, sense), share in zip(found, shares[index], strict=True)])
            if offers:
                result[index] = offers
        return result

    def _senses(self, readings: Sequence[Reading]) -> Iterator[tuple[Reading, Sense]]:
        """The senses in which a word can be read. The first reading that our list knows is taken; without one, WordNet's senses of the last."""
        for reading in readings:
            listed = self._own.of(reading.lemma, reading.letter) if self._own else []
            if listed:
                yield from ((reading, replace(sense, prior=-0.7 * rank)) for rank, sense in enumerate(listed))
                return
        if self._wordnet:
            yield from ((readings[-1], sense) for sense in self._wordnet.of(readings[-1].lemma, readings[-1].letter))

    def _shares(self, text: str, words: Sequence[Word], read: dict[int, list[tuple[Reading, Sense]]]) -> dict[int, list[float]]:
        """The share of every sense among the senses of its word."""
        result: dict[int, list[float]] = {index: [1.0] for index, found in read.items() if len(found) == 1}
        open_ones = [index for index in read if index not in result]
        around = {index: text[words[max(index - AROUND, 0)].start : words[min(index + AROUND, len(words) - 1)].end] for index in open_ones}
        described = [sense.described for index in open_ones for _, sense in read[index]]
        vectors = dict(zip(texts := [text, *around.values(), *described], self._encoder.encode(texts), strict=True)) if open_ones else {}
        for index in open_ones:
            context = (vectors[text] + vectors[around[index]]) / 2
            weights = [math.exp(CONTEXT * float(vectors[sense.described] @ context) + sense.prior) for _, sense in read[index]]
            standing = [_stands(*one) for one in read[index]]
            if any(standing):  # how the word is used rules out the other senses
                weights = [weight * stands for weight, stands in zip(weights, standing, strict=True)]
            result[index] = [weight / sum(weights) for weight in weights]
        return result

    def _synonyms(self, word: str, senses: Sequence[tuple[Reading, Sense, float]]) -> list[Synonym]:
        """The near-synonyms of a word, offered ones first. One that stands in several senses counts for all of them."""
        share_of: dict[str, float] = {}
        for reading, sense, share in senses:
            for other in sense.synonyms if _stands(reading, sense) else ():
                share_of[other] = share_of.get(other, 0.0) + share
        offered: dict[str, Synonym] = {}
        refused: dict[str, Synonym] = {}
        for reading, sense, _ in sorted(senses, key=lambda one: -one[2]):
            left = MOST[reading.letter]
            for other in sense.synonyms:
                form = forms.inflected(other, reading.tag)
                made = Synonym(form or other, None, None, f"{sense.headword}: {sense.gloss}", sense.source)
                why = self._refusal(word, reading, sense, other, form, share_of.get(other, 0.0))
                if why:
                    refused.setdefault(made.word, replace(made, refused_by=why))
                elif left:
                    offered.setdefault(made.word, made)
                    left -= 1
        return [*offered.values(), *(one for name, one in refused.items() if name not in offered)]

    def _refusal(self, word: str, reading: Reading, sense: Sense, other: str, form: str, share: float) -> str | None:
        if not _stands(reading, sense) or not form or forms.same_word(word.lower(), form) or not forms.fits_article(reading.before, form):
            return WRONG_FORM
        if reading.compared and forms.inflected(other, "JJR"):
            return WRONG_FORM
        if frozenset((word.lower(), form)) in self._antonyms or frozenset((reading.lemma, other)) in self._antonyms:
            return ANTONYM
        return WRONG_SENSE if share < LEAST_SHARE else None


def _stands(reading: Reading, sense: Sense) -> bool:
    """True if the word stands in the sentence as this sense, and with it its near-synonyms, can stand."""
    return bool(reading.frames & sense.frames) or ("vt&vi" in reading.frames and bool({"vt", "vi"} & sense.frames))
