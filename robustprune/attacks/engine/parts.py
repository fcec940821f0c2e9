"""Our own parts of recipes: subclasses of TextAttack's classes that use our resources. They are created after TextAttack is imported."""

from functools import cache, lru_cache
from types import ModuleType, SimpleNamespace
from typing import Any

from robustprune.attacks.engine import library
from robustprune.attacks.resources.encoder import Encode
from robustprune.attacks.resources.synonyms import SynonymSource
from robustprune.base import paths
from robustprune.base.progress import Check

NOUN_OR_VERB = {"NOUN", "VERB"}
HOMOGLYPHS = paths.ASSETS / "homoglyphs.txt"


@cache
def classes() -> SimpleNamespace:
    """A namespace with the classes SynonymSwap, HomoglyphSwap, WordNetSwap, MaskedSwap, SharedWordClass and SentenceSimilarity."""
    ta = library.textattack()
    made = (*_transformations(ta), *_constraints(ta))
    return SimpleNamespace(**{one.__name__: one for one in made})


def _transformations(ta: ModuleType) -> tuple[type, ...]:
    """The transformations, which propose replacements for a word."""
    swaps = ta.transformations.word_swaps

    class SynonymSwap(ta.transformations.WordSwap):
        """Proposes near-synonyms, in the letter case of the word.

        It has the effect of TextAttack's WordSwapEmbedding followed by WordEmbeddingDistance, but does not build the texts that the
        second would refuse: a synonym below ``min_cosine`` is never put into a text.
        """

        def __init__(self, source: SynonymSource, most: int, min_cosine: float) -> None:
            super().__init__()
            self._source, self._most, self._min_cosine = source, most, min_cosine
            self._proposals = lru_cache(10_000)(self._find)

        def _get_replacement_words(self, word: str) -> list[str]:
            return [other for other, near in self._proposals(word) if near]

        def too_far(self, word: str) -> list[str]:
            """The neighbours of a word that are not near enough to be tried."""
            return [other for other, near in self._proposals(word) if not near]

        def _find(self, word: str) -> list[tuple[str, bool]]:
            found = self._source.of(word.lower())[: self._most]
            return [(swaps.word_swap_embedding.recover_word_case(other, word), cosine is None or cosine >= self._min_cosine) for other, cosine in found]

    class HomoglyphSwap(ta.transformations.WordSwapHomoglyphSwap):
        """Replaces characters by look-alikes from our own table, because the installed library lacks its own."""

        def __init__(self) -> None:
            ta.transformations.WordSwapDifferentialEvolution.__init__(self)
            self.random_one = False
            self.homos_intentional = read_homoglyphs()
            self.homos = {letter: others[0] for letter, others in self.homos_intentional.items()}

        def apply_perturbation(self, current_text: Any, perturbation_vector: Any, precomputed: Any) -> Any:
            has_any = bool(precomputed[0])
            return super().apply_perturbation(current_text, perturbation_vector, precomputed) if has_any else current_text

    class WordNetSwap(ta.transformations.WordSwapWordNet):
        """The library's class without the download in its constructor."""

        def __init__(self) -> None:
            self.language = "eng"

    class MaskedSwap(ta.transformations.WordSwapMaskedLM):
        """The library's class without unneeded padding. The proposals are the same, in a fraction of the time."""

        def _encode_text(self, text: Any) -> Any:
            encoded = self._lm_tokenizer(text, max_length=self.max_length, truncation=True, padding=True, return_tensors="pt")
            return encoded.to(self._language_model.device)

    return SynonymSwap, HomoglyphSwap, WordNetSwap, MaskedSwap


def _constraints(ta: ModuleType) -> tuple[type, ...]:
    """The constraints, which refuse proposals."""

    class SharedWordClass(ta.constraints.Constraint):
        """Requires that the new word and the replaced word share a possible word class in lemminflect's dictionary."""

        def __init__(self) -> None:
            super().__init__(compare_against_original=True)

        def _check_constraint(self, transformed_text: Any, reference_text: Any) -> bool:
            changed = transformed_text.attack_attrs["newly_modified_indices"]
            return all(share_word_class(reference_text.words[i], transformed_text.words[i]) for i in changed)

    class SentenceSimilarity(ta.constraints.semantics.sentence_encoders.SentenceEncoder):
        """The recipe's sentence constraint with our encoder. If all texts are shorter than the window, they pass without being encoded."""

        def __init__(self, encode: Encode, check: Check, **rule: Any) -> None:
            super().__init__(**rule)
            self._encode, self._check = encode, check

        def encode(self, sentences: list[str]) -> Any:
            return self._encode(sentences, self._check)

        def _check_constraint_many(self, transformed_texts: list[Any], reference_text: Any) -> Any:
            short = self.skip_text_shorter_than_window and all(len(text.words) < self.window_size for text in transformed_texts)
            if not short:
                return super()._check_constraint_many(transformed_texts, reference_text)
            for text in transformed_texts:
                text.attack_attrs["similarity_score"] = 1.0
            return transformed_texts

    return SharedWordClass, SentenceSimilarity


@lru_cache(50_000)
def share_word_class(word: str, other: str) -> bool:
    """True if the two words share a possible word class. Noun and verb count as one class."""
    import lemminflect

    mine, its = (set(lemminflect.getAllLemmas(one.lower())) for one in (word, other))
    return bool(mine & its) or bool(mine & NOUN_OR_VERB and its & NOUN_OR_VERB)


def read_homoglyphs() -> dict[str, list[str]]:
    """Reads our table of look-alikes: every character with the characters that look like it."""
    lines = [line.split() for line in HOMOGLYPHS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("# ")]
    return {letter: [chr(int(code, 16)) for code in codes] for letter, *codes in lines}
