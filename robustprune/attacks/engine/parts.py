"""The parts of recipes that are ours: TextAttack's classes over our resources. Made when TextAttack is there to be built upon."""

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
    """SynonymSwap, HomoglyphSwap, WordNetSwap, MaskedSwap, SharedWordClass, SentenceSimilarity."""
    ta = library.textattack()
    made = (*_transformations(ta), *_constraints(ta))
    return SimpleNamespace(**{one.__name__: one for one in made})


def _transformations(ta: ModuleType) -> tuple[type, ...]:
    """What proposes words in the place of a word."""
    swaps = ta.transformations.word_swaps

    class SynonymSwap(ta.transformations.WordSwap):
        """Near-synonyms in the case of the word. Those too far from it are never made into texts: what TextAttack's
        WordSwapEmbedding and WordEmbeddingDistance do one after the other, without the texts that the second would refuse."""

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
        """Look-alike characters of our own table; the library's is missing in what is installed."""

        def __init__(self) -> None:
            ta.transformations.WordSwapDifferentialEvolution.__init__(self)
            self.random_one = False
            self.homos_intentional = read_homoglyphs()
            self.homos = {letter: others[0] for letter, others in self.homos_intentional.items()}

        def apply_perturbation(self, current_text: Any, perturbation_vector: Any, precomputed: Any) -> Any:
            has_any = bool(precomputed[0])
            return super().apply_perturbation(current_text, perturbation_vector, precomputed) if has_any else current_text

    class WordNetSwap(ta.transformations.WordSwapWordNet):
        """The library's own, less the download when it is made."""

        def __init__(self) -> None:
            self.language = "eng"

    class MaskedSwap(ta.transformations.WordSwapMaskedLM):
        """The library's own, padded no longer than the text needs: the same proposals in a fraction of the time."""

        def _encode_text(self, text: Any) -> Any:
            encoded = self._lm_tokenizer(text, max_length=self.max_length, truncation=True, padding=True, return_tensors="pt")
            return encoded.to(self._language_model.device)

    return SynonymSwap, HomoglyphSwap, WordNetSwap, MaskedSwap


def _constraints(ta: ModuleType) -> tuple[type, ...]:
    """What refuses a proposal."""

    class SharedWordClass(ta.constraints.Constraint):
        """A swap shares a possible word class with the word that it replaces, by lemminflect's dictionary."""

        def __init__(self) -> None:
            super().__init__(compare_against_original=True)

        def _check_constraint(self, transformed_text: Any, reference_text: Any) -> bool:
            changed = transformed_text.attack_attrs["newly_modified_indices"]
            return all(share_word_class(reference_text.words[i], transformed_text.words[i]) for i in changed)

    class SentenceSimilarity(ta.constraints.semantics.sentence_encoders.SentenceEncoder):
        """The recipe's sentence constraint over our encoder. Short texts, which it lets pass, are not encoded for nothing."""

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
    """Whether some reading of the one has the word class of some reading of the other; nouns and verbs count as one."""
    import lemminflect

    mine, its = (set(lemminflect.getAllLemmas(one.lower())) for one in (word, other))
    return bool(mine & its) or bool(mine & NOUN_OR_VERB and its & NOUN_OR_VERB)


def read_homoglyphs() -> dict[str, list[str]]:
    """For every character of our table those that look like it."""
    lines = [line.split() for line in HOMOGLYPHS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("# ")]
    return {letter: [chr(int(code, 16)) for code in codes] for letter, *codes in lines}
