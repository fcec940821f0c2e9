"""Where two texts differ: the pieces of the original that were replaced, so that they can be shown struck out in it."""

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
    """The original's characters ``[start:end]``, which are ``old``, became ``new``.

    ``index`` is the word that they belong to; where several words were replaced together, the first of them.
    """

    index: int
    start: int
    end: int
    old: str
    new: str


def places(text: str, words: Sequence[str]) -> tuple[Word, ...]:
    """The words with their places in the text, given in the order in which they stand there."""
    result, position = [], 0
    for word in words:
        start = text.index(word, position)
        position = start + len(word)
        result.append(Word(word, start, position))
    return tuple(result)


def between(text: str, words: Sequence[Word], other: str, other_words: Sequence[Word]) -> tuple[Change, ...]:
    """What became of the original ``text`` in ``other``. Applied to the original, the changes give the other text, exactly."""
    pieces, its = _pieces(text, words), _pieces(other, other_words)
    if len(pieces) == len(its):  # words were swapped one for one, which is the rule
        spans = [(i, i + 1, i, i + 1) for i, (mine, theirs) in enumerate(zip(pieces, its, strict=True)) if mine != theirs]
    else:
        matcher = SequenceMatcher(None, pieces, its, autojunk=False)
        spans = [span for kind, *span in matcher.get_opcodes() if kind != "equal"]
    starts = [0]
    for piece in pieces:
        starts.append(starts[-1] + len(piece))
    # Pieces alternate: what stands before word 0, word 0, what stands behind it, word 1, ...
    return tuple(
        Change(min(first // 2, max(len(words) - 1, 0)), starts[first], starts[last], "".join(pieces[first:last]), "".join(its[other_first:other_last]))
        for first, last, other_first, other_last in spans
    )


def apply(text: str, changes: Sequence[Change]) -> str:
    """The text with the changes made."""
    parts, position = [], 0
    for change in sorted(changes, key=lambda change: (change.start, change.end)):
        parts += [text[position : change.start], change.new]
        position = change.end
    return "".join([*parts, text[position:]])


def _pieces(text: str, words: Sequence[Word]) -> list[str]:
    """The text cut into what stands between the words, and the words."""
    pieces, position = [], 0
    for word in words:
        pieces += [text[position : word.start], word.text]
        position = word.end
    return [*pieces, text[position:]]
