"""Training texts that are kept for choosing between models, and those that are left to train on.

Training sets such as SST-2's hold sentences and their phrases as rows of their own. A text that was kept is no test of anything if
the model was trained on a phrase of it, so all that overlap are left out too.
"""

import random

from robustprune.base.errors import DataError
from robustprune.texts.datasets import Texts

SEED = 20231213
# Shorter texts are no material for an attack, and phrases shorter than that are in half of all texts.
KEPT_WORDS, OVERLAP_WORDS = 6, 3


def split(texts: Texts, held_out: int) -> tuple[Texts, Texts]:
    """The texts to train on, and ``held_out`` others; neither holds a text that lies within one of the other.

    The same texts give the same split always, whatever a training's seed.

    Raises:
        DataError: fewer texts than that are long enough, or nothing would be left to train on.
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
    """All runs of words of these lengths."""
    return {words[i : i + length] for length in lengths for i in range(len(words) - length + 1)}
