"""Our own parts of recipes: subclasses of TextAttack's classes that use our resources. They are created after TextAttack is imported."""

from functools import cache, lru_cache
from types import ModuleType, SimpleNamespace
from typing import Any

from robustprune.attacks.engine import library, synonym_swap
from robustprune.attacks.resources.encoder import Encode
from robustprune.base import paths
from robustprune.base.progress import Check

NOUN_OR_VERB = {"NOUN", "VERB"}
HOMOGLYPHS = paths.ASSETS / "homoglyphs.txt"


@cache
def classes() -> SimpleNamespace:
    """A namespace with the classes SynonymSwap, HomoglyphSwap, WordNetSwap, MaskedSwap, SharedWordClass and SentenceSimilarity."""
    ta = library.textattack()
    made = (synonym_swap.made_for(ta), *_transformations(ta), *_constraints(ta))
    return SimpleNamespace(**{one.__name__: one for one in made})


def _transformations(ta: ModuleType) -> tuple[type, ...]:
    """The transformations, which propose replacements for a word."""

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
        """The library's class without the download in its constructor, with the given reader of WordNet and the synonyms in a fixed order."""

        def __init__(self, reader: Any) -> None:
            self.language, self._reader = "eng", reader

        def _get_replacement_words(self, word: str) -> list[str]:
            names = {name for synset in self._reader.synsets(word, lang=self.language) for name in synset.lemma_names(lang=self.language)}
            return sorted(name for name in names if name != word and "_" not in name and ta.shared.utils.is_one_word(name))

    class MaskedSwap(ta.transformations.WordSwapMaskedLM):
        """The library's class without unneeded padding. The proposals are the same, in a fraction of the time."""

        def _encode_text(self, text: Any) -> Any:
            encoded = self._lm_tokenizer(text, max_length=self.max_length, truncation=True, padding=True, return_tensors="pt")
            return encoded.to(self._language_model.device)

    return HomoglyphSwap, WordNetSwap, MaskedSwap


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
    """True if the two words share a possible word class. Noun and verb count as one class; words that the dictionary lacks share any."""
    mine, its = word_classes(word), word_classes(other)
    return not mine or not its or bool(mine & its)


def word_classes(word: str) -> set[str]:
    """The classes that a word can have, by lemminflect's dictionary: VERB stands for NOUN too, and a participle can be an adjective."""
    import lemminflect

    classes = {"VERB" if name in NOUN_OR_VERB else name for name in lemminflect.getAllLemmas(word.lower())}
    return classes | ({"ADJ"} if "VERB" in classes and word.lower().endswith(("ing", "ed")) else set())


def read_homoglyphs() -> dict[str, list[str]]:
    """Reads our table of look-alikes: every character with the characters that look like it."""
    lines = [line.split() for line in HOMOGLYPHS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("# ")]
    return {letter: [chr(int(code, 16)) for code in codes] for letter, *codes in lines}
