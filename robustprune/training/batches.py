"""Batches of texts of like length, in random order."""

import random
from collections.abc import Iterator, Sequence

SORTED_TOGETHER = 50


def shuffled(lengths: Sequence[int], size: int, shuffle: random.Random) -> Iterator[list[int]]:
    """Random batches in which texts are of like length: shuffled, sorted within chunks of 50 batches, cut, shuffled again."""
    order = list(range(len(lengths)))
    shuffle.shuffle(order)
    chunk = size * SORTED_TOGETHER
    batches = []
    for start in range(0, len(order), chunk):
        rows = sorted(order[start : start + chunk], key=lengths.__getitem__)
        batches += [rows[i : i + size] for i in range(0, len(rows), size)]
    shuffle.shuffle(batches)
    yield from batches
