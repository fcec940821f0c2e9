"""Batches of texts of similar length, in random order."""

import random
from collections.abc import Iterator, Sequence

SORTED_TOGETHER = 50


def shuffled(lengths: Sequence[int], size: int, shuffle: random.Random) -> Iterator[list[int]]:
    """Yields random batches of row numbers; the texts of a batch have similar lengths.

    The rows are shuffled, sorted by length within chunks of 50 batches, and cut into batches. Then the batches are shuffled.
    """
    order = list(range(len(lengths)))
    shuffle.shuffle(order)
    chunk = size * SORTED_TOGETHER
    batches = []
    for start in range(0, len(order), chunk):
        rows = sorted(order[start : start + chunk], key=lengths.__getitem__)
        batches += [rows[i : i + size] for i in range(0, len(rows), size)]
    shuffle.shuffle(batches)
    yield from batches
