"""The attack recipes, put together from TextAttack's own classes over our resources."""

from typing import Any

from robustprune.attacks import library
from robustprune.attacks.resource_names import MIN_ANGULAR_SIMILARITY, MIN_COSINE, NEIGHBOURS, WINDOW, has_tagger
from robustprune.attacks.resources import Resources
from robustprune.spec import AttackSpec

NOUN_OR_VERB = {"NOUN", "VERB"}


def textfooler(victim: Any, resources: Resources, spec: AttackSpec) -> Any:
    """TextFooler (Jin et al. 2020): words in order of importance, each by the synonym that lowers the label's probability most.

    The parts are those of TextAttack's ``TextFoolerJin2019``; synonyms, word classes and similarity come from ``resources``.
    """
    ta = library.textattack()
    synonyms = resources.synonyms
    embedding = ta.shared.WordEmbedding(
        synonyms.vectors,
        {word: i for i, word in enumerate(synonyms.words)},
        dict(enumerate(synonyms.words)),
        synonyms.neighbours,
    )
    constraints = [
        *_untouchable(ta, embedding, victim),
        ta.constraints.semantics.WordEmbeddingDistance(embedding=embedding, min_cos_sim=MIN_COSINE),
        ta.constraints.grammaticality.PartOfSpeech(allow_verb_noun_swap=True) if has_tagger() else _shared_word_class(ta),
        _similarity(ta, resources),
    ]
    goal = ta.goal_functions.UntargetedClassification(victim, query_budget=spec.query_budget, model_batch_size=64)
    transformation = ta.transformations.WordSwapEmbedding(max_candidates=NEIGHBOURS, embedding=embedding)
    return ta.Attack(goal, constraints, transformation, ta.search_methods.GreedyWordSwapWIR(wir_method="delete"))


RECIPES = {"textfooler": textfooler}


def _untouchable(ta: Any, embedding: Any, victim: Any) -> list[Any]:
    """The published recipe's own rules of which words may change: no stop word of its list, none twice."""
    ta.shared.utils.GLOBAL_OBJECTS["textattack_counterfitted_GLOVE_embedding"] = embedding  # else the recipe downloads vectors
    return ta.attack_recipes.TextFoolerJin2019.build(victim).pre_transformation_constraints


def _shared_word_class(ta: Any) -> Any:
    """A constraint that a swap shares a possible word class with the word it replaces, by lemminflect's dictionary."""
    import lemminflect

    class SharedWordClass(ta.constraints.Constraint):
        def __init__(self) -> None:
            super().__init__(compare_against_original=True)

        def _check_constraint(self, transformed_text: Any, reference_text: Any) -> bool:
            changed = transformed_text.attack_attrs["newly_modified_indices"]
            return all(self._fits(reference_text.words[i], transformed_text.words[i]) for i in changed)

        @staticmethod
        def _fits(word: str, other: str) -> bool:
            mine, its = (set(lemminflect.getAllLemmas(w.lower())) for w in (word, other))
            return bool(mine & its) or bool(mine & NOUN_OR_VERB and its & NOUN_OR_VERB)

    return SharedWordClass()


def _similarity(ta: Any, resources: Resources) -> Any:
    """The recipe's sentence constraint with MiniLM in place of the Universal Sentence Encoder: same window, same angular rule."""

    class MiniLMSimilarity(ta.constraints.semantics.sentence_encoders.SentenceEncoder):
        def encode(self, sentences: list[str]) -> Any:
            return resources.encoder.encode(sentences)

    return MiniLMSimilarity(
        threshold=MIN_ANGULAR_SIMILARITY, metric="angular", compare_against_original=False, window_size=WINDOW, skip_text_shorter_than_window=True
    )
