"""Differences between two texts: the pieces of the original that were replaced. A display can strike them out in the original."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True)
class Word:
    """A word of the original text: its characters are ``text[start:end]``."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Change:
    """The characters ``[start:end]`` of the original text, whose content is ``old``, were replaced by ``new``.

    ``index`` is the index of the word that they belong to. If several words were replaced together, it is the first of them.
    """

    index: int
    start: int
    end: int
    old: str
    new: str


def places(text: str, words: Sequence[str]) -> tuple[Word, ...]:
    """Finds each word's place in the text. ``words`` must be in the order in which they occur in the text."""
    result, position = [], 0
    for word in words:
        start = text.index(word, position)
        position = start + len(word)
        result.append(Word(word, start, position))
    return tuple(result)


def between(text: str, words: Sequence[Word], other: str, other_words: Sequence[Word]) -> tuple[Change, ...]:
    """The changes that turn the original ``text`` into ``other``. Applied to the original, they give exactly the other text."""
    pieces, its = _pieces(text, words), _pieces(other, other_words)
    if len(pieces) == len(its):  # the usual case: every word was replaced by one word
        spans = [(i, i + 1, i, i + 1) for i, (mine, theirs) in enumerate(zip(pieces, its, strict=True)) if mine != theirs]
    else:
        matcher = SequenceMatcher(None, pieces, its, autojunk=False)
        spans = [span for kind, *span in matcher.get_opcodes() if kind != "equal"]
    starts = [0]
    for piece in pieces:
        starts.append(starts[-1] + len(piece))
    # Pieces alternate between gaps and words: the gap before word 0, word 0, the gap after it, word 1, ...
    return tuple(
        Change(min(first // 2, max(len(words) - 1, 0)), starts[first], starts[last], "".join(pieces[first:last]), "".join(its[other_first:other_last]))
        for first, last, other_first, other_last in spans
    )


def apply(text: str, changes: Sequence[Change]) -> str:
    """The text after the changes are applied."""
    parts, position = [], 0
    for change in sorted(changes, key=lambda change: (change.start, change.end)):
        parts += [text[position : change.start], change.new]
        position = change.end
    return "".join([*parts, text[position:]])


def _pieces(text: str, words: Sequence[Word]) -> list[str]:
    """Splits the text into gaps and words, which alternate. The first and the last piece are gaps."""
    pieces, position = [], 0
    for word in words:
        pieces += [text[position : word.start], word.text]
        position = word.end
    return [*pieces, text[position:]]
