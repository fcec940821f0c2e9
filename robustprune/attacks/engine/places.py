"""Where the words of an attacked text come from."""

from typing import Any


def original_index(text: Any, index: int) -> int:
    """The index, in the original text, of the word that a word of the current text comes from. Words may have been deleted or split."""
    now = [int(place) for place in text.attack_attrs["original_index_map"]]
    if index in now:
        return now.index(index)
    return next((original for original, place in enumerate(now) if place > index), len(now) - 1)
