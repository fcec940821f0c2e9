"""Senses out of WordNet, for words that our own list does not have."""

import math
from functools import lru_cache
from typing import Any

from robustprune.attacks.resources import forms, wordnet
from robustprune.attacks.resources.sense_list import Sense

# A near-synonym must be about as usual as this; see forms.frequency.
LEAST_FREQUENT = 2.9
SHORTEST = 3  # letters; shorter names are mostly symbols and prefixes
# Added to every count, because most senses were never tagged.
SMOOTHING = 1.0
# The share of a sense among the counted senses of the new word, from which a reader takes the new word in this sense.
LEAST_USUAL = 0.5
FRAMES = {"n": frozenset({"n"}), "r": frozenset({"r"}), "a": frozenset({"a", "ab", "ap"}), "v": frozenset({"vt", "vi"})}
SOURCE = "WordNet 3.0"


class WordNetSenses:
    """WordNet's senses of a lemma, with the near-synonyms that a reader takes in the same sense."""

    def __init__(self) -> None:
        self._reader, self._tagged = wordnet.reader(), wordnet.tagged()
        self.of = lru_cache(20_000)(self._of)

    def _of(self, lemma: str, letter: str) -> list[Sense]:
        """The senses of a lemma as a word of a class (n, v, a or r). Verbs are left out whose frames WordNet does not tell apart."""
        synsets = self._reader.synsets(lemma, letter)
        counts = [self._tagged.get((lemma, letter, one.offset()), (9, 0))[1] + SMOOTHING for one in synsets]
        return [
            Sense(lemma, self._frames(one, letter), one.definition(), self._near(one, lemma, letter), "", SOURCE, math.log(count / sum(counts)))
            for one, count in zip(synsets, counts, strict=True)
        ]

    def _frames(self, synset: Any, letter: str) -> frozenset[str]:
        if letter != "v":
            return FRAMES[letter]
        numbers = set(synset.frame_ids())
        return frozenset(({"vt"} if numbers & {8, 9, 10, 11} else set()) | ({"vi"} if numbers & {1, 2, 3, 4} else set()))

    def _near(self, synset: Any, lemma: str, letter: str) -> tuple[str, ...]:
        names = [one.name().lower() for one in synset.lemmas()]
        return tuple(name for name in names if name != lemma and name.isalpha() and len(name) >= SHORTEST and self._is_usual(name, synset, letter))

    def _is_usual(self, name: str, synset: Any, letter: str) -> bool:
        if forms.frequency(name) < LEAST_FREQUENT:
            return False
        counts = {one.offset(): self._tagged.get((name, letter, one.offset()), (9, 0)) for one in self._reader.synsets(name, letter)}
        rank, count = counts.get(synset.offset(), (9, 0))
        return rank == 1 and (count + SMOOTHING) / sum(one + SMOOTHING for _, one in counts.values()) >= LEAST_USUAL
