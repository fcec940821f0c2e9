"""Our own list of near-synonyms, ordered by sense: ``assets/near_synonyms.txt``.

One sense a line, its fields separated by ``|``: headword, frames, gloss, near-synonyms, cues. The commonest sense of a headword is its first.
A sense without near-synonyms has ``-`` there: it is listed so that it can be told from the others. Cues are words that often stand near.

Frames say where the headword can stand, and every near-synonym with it:

| frame | the headword is |
|---|---|
| ``n`` | a noun |
| ``a``, ``ab``, ``ap`` | an adjective: anywhere, only before a noun, only after a verb |
| ``a:PREPOSITION``, ``a:to`` | an adjective with this preposition, with an infinitive |
| ``r`` | an adverb |
| ``vt``, ``vi``, ``v:PREPOSITION`` | a verb: with an object, without, with this preposition |
| ``vc``, ``vl`` | a verb: with a clause or another verb, with an adjective or noun that tells of its subject ("feels forced") |
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from robustprune.base import hashing, paths
from robustprune.base.errors import ResourceMissing
from robustprune.base.messages import Message

PATH = paths.ASSETS / "near_synonyms.txt"
FIELDS, NONE, SOURCE = 5, "-", "our list"


@dataclass(frozen=True)
class Sense:
    """One sense of a word, from our list or from WordNet.

    Attributes:
        headword: the word, as a lemma.
        frames: the places where the headword and its near-synonyms can stand; see the table of this module.
        gloss: what the word means in this sense.
        synonyms: near-synonyms as lemmas, nearest first.
        cues: words that often stand near the word in this sense.
        source: where the sense comes from.
        prior: natural logarithm of how usual the sense is among the senses of its headword.
    """

    headword: str
    frames: frozenset[str]
    gloss: str
    synonyms: tuple[str, ...]
    cues: str
    source: str
    prior: float = 0.0

    @property
    def described(self) -> str:
        """The sense as one text, which is compared with the context of a word."""
        return f"{self.headword}: {self.gloss}. {' '.join(self.synonyms[:3])} {self.cues}".strip()


class SenseList:
    """The senses of a list, by headword and word class (n, v, a or r).

    Raises:
        ResourceMissing: the file is missing, or a line of it has another form.
    """

    def __init__(self, path: Path = PATH) -> None:
        self._of: dict[tuple[str, str], list[Sense]] = {}
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ResourceMissing("attacks.sense_list_cannot_be_read", path=path, why=error) from error
        for number, line in enumerate(lines, 1):
            if not line or line.startswith("#"):
                continue
            fields = [field.strip() for field in line.split("|")]
            if len(fields) != FIELDS or not all(fields):
                raise ResourceMissing("attacks.sense_line_wrong", path=path, number=number, line=line[:80], fields=FIELDS)
            headword, frames, gloss, synonyms, cues = ("" if field == NONE else field for field in fields)
            sense = Sense(headword, frozenset(frames.split(",")), gloss, tuple(synonyms.split(", ")) if synonyms else (), cues.replace(",", ""), SOURCE)
            self._of.setdefault((headword, frames[0]), []).append(sense)

    def of(self, lemma: str, letter: str) -> list[Sense]:
        """The senses of a lemma as a word of that class, the commonest first. An unknown lemma gives an empty list."""
        return self._of.get((lemma, letter), [])

    def __iter__(self):
        return (sense for senses in self._of.values() for sense in senses)


def trouble() -> Message | None:
    """What is wrong with our list, or None if it can be read."""
    try:
        shipped()
    except ResourceMissing as error:
        return error.message
    return None


@cache
def shipped() -> SenseList:
    """Our list. Raises ResourceMissing as :class:`SenseList`."""
    return SenseList()


@cache
def version() -> str:
    """The first digits of the list's SHA-256, which are part of the name of the resource. Empty if there is no such file."""
    return hashing.of_file(PATH)[:8] if PATH.is_file() else ""
