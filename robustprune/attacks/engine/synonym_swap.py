"""The transformation that swaps near-synonyms, whatever source they come from."""

from collections.abc import Iterable
from dataclasses import replace
from types import ModuleType
from typing import Any

from robustprune.attacks.engine.places import original_index
from robustprune.attacks.resources.synonyms import Synonym, SynonymSource
from robustprune.attacks.traces import changes


def made_for(ta: ModuleType) -> type:
    """The class SynonymSwap for the imported TextAttack."""
    recase = ta.transformations.word_swaps.word_swap_embedding.recover_word_case

    class SynonymSwap(ta.transformations.WordSwap):
        """Proposes near-synonyms, in the letter case of the word.

        With word vectors, it has the effect of TextAttack's WordSwapEmbedding followed by WordEmbeddingDistance, but does not build the
        texts that the second would refuse: a synonym below ``min_cosine`` is never put into a text.
        """

        def __init__(self, source: SynonymSource, most: int, min_cosine: float) -> None:
            super().__init__()
            self._source, self._most, self._min_cosine = source, most, min_cosine

        def _get_transformations(self, current_text: Any, indices_to_modify: Iterable[int]) -> list[Any]:
            made = []
            for i in indices_to_modify:
                offered = [one.word for one in self.proposals(current_text, i) if one.refused_by is None]
                made += [current_text.replace_word_at_index(i, word) for word in offered if word != current_text.words[i]]
            return made

        def proposals(self, text: Any, index: int) -> list[Synonym]:
            """The near-synonyms for a word of the current text. Those that are not near enough are refused by WordEmbeddingDistance."""
            original = text
            while "previous_attacked_text" in original.attack_attrs:
                original = original.attack_attrs["previous_attacked_text"]
            words = changes.places(original.text, original.words)
            found = self._source.offers(original.text, words, original_index(text, index), text.words[index])[: self._most]
            cased = [replace(one, word=recase(one.word, text.words[index])) for one in found]
            return [replace(one, refused_by="WordEmbeddingDistance") if self._is_far(one) else one for one in cased]

        def _is_far(self, synonym: Synonym) -> bool:
            return synonym.cosine is not None and synonym.cosine < self._min_cosine

    return SynonymSwap
