"""Splits training texts into held-out texts, which are for choosing between models, and texts to train on.

Training sets such as the one of SST-2 contain sentences and also the phrases of these sentences, as separate rows. A held-out text tests
nothing if the model was trained on a phrase of it. So all texts that overlap with a held-out text are left out of the training too.
"""

import random

from robustprune.base.errors import DataError
from robustprune.texts.datasets import Texts

SEED = 20231213
# Only texts of KEPT_WORDS or more words are held out, because shorter texts are not useful for attacks. Phrases of fewer than OVERLAP_WORDS
# words do not count as an overlap, because they occur in half of all texts.
KEPT_WORDS, OVERLAP_WORDS = 6, 3


def split(texts: Texts, held_out: int) -> tuple[Texts, Texts]:
    """Returns the texts to train on, and ``held_out`` other texts. No text of one part lies within a text of the other part.

    Only training texts of fewer than OVERLAP_WORDS words may lie within a held-out text. The same texts always give the same split, whatever
    the seed of the training.

    Raises:
        DataError: fewer than ``held_out`` texts are long enough, or no text would be left to train on.
    """
    if not held_out:
        return texts, texts.take([])
    words = [tuple(text.lower().split()) for text in texts.texts]
    long_enough = [row for row, text in enumerate(words) if len(text) >= KEPT_WORDS]
    if len(long_enough) < held_out:
        raise DataError("training.too_few_to_hold_out", held_out=held_out, dataset=texts.dataset, count=len(long_enough), words=KEPT_WORDS)
    kept = sorted(random.Random(SEED).sample(long_enough, held_out))
    whole = {words[row] for row in kept}
    lengths = sorted({len(text) for text in whole})
    parts = {part for text in whole for part in _parts(text, range(OVERLAP_WORDS, len(text) + 1))}
    left = [row for row, text in enumerate(words) if text not in parts and whole.isdisjoint(_parts(text, lengths))]
    if not left:
        raise DataError("training.nothing_left_to_train_on", dataset=texts.dataset, held_out=held_out)
    return texts.take(left), texts.take(kept)


def _parts(words: tuple[str, ...], lengths: range | list[int]) -> "set[tuple[str, ...]]":
    """Returns all sequences of consecutive words that have one of these lengths."""
    return {words[i : i + length] for length in lengths for i in range(len(words) - length + 1)}
