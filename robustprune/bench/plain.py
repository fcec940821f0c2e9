"""Builds attacks from TextAttack's own classes, as its users would do. Our attacks are compared with these, text by text."""

from typing import Any

import numpy as np

from robustprune.attacks.engine import build, library, parts
from robustprune.attacks.engine.chance import drawn_from
from robustprune.attacks.engine.places import original_index
from robustprune.attacks.resources.encoder import no_check
from robustprune.attacks.resources.loading import Resources
from robustprune.attacks.resources.names import NEIGHBOURS, WINDOW
from robustprune.attacks.resources.synonyms import Neighbours
from robustprune.attacks.traces import changes

RECIPES = ("textfooler", "deepwordbug", "pruthi", "input-reduction", "iga")


def attack(name: str, wrapper: Any, resources: Resources, budget: int) -> Any:
    """Returns one of RECIPES as an attack of TextAttack's classes that uses these resources."""
    ta = library.textattack()
    pre, swaps, search = ta.constraints.pre_transformation, ta.transformations, ta.search_methods
    stop_words = pre.StopwordModification(stopwords=build.stop_words(resources.names.stop_words or "scikit-learn"))
    goal = ta.goal_functions.UntargetedClassification(wrapper, query_budget=budget)
    greedy = search.GreedyWordSwapWIR(wir_method="unk" if name == "deepwordbug" else "delete")
    if name == "deepwordbug":
        published = ta.attack_recipes.DeepWordBugGao2018.build(wrapper)
        constraints = [pre.RepeatModification(), stop_words, *published.constraints]
        return ta.Attack(goal, constraints, published.transformation, greedy)
    if name == "pruthi":
        published = ta.attack_recipes.Pruthi2019.build(wrapper)
        constraints = [pre.MinWordLength(min_length=4), stop_words, pre.RepeatModification(), *published.constraints]
        return ta.Attack(goal, constraints, published.transformation, search.GreedySearch())
    if name == "input-reduction":
        goal = ta.goal_functions.InputReduction(wrapper, maximizable=True, query_budget=budget)
        return ta.Attack(goal, [pre.RepeatModification(), stop_words], swaps.WordDeletion(), greedy)
    swap, near_enough = _synonyms(ta, resources.synonyms, name)
    embedding = ta.shared.WordEmbedding(np.ones((1, 1)), {"a": 0}, {0: "a"}, np.zeros((1, 1), dtype=int))
    ta.shared.utils.GLOBAL_OBJECTS["textattack_counterfitted_GLOVE_embedding"] = embedding
    try:
        published = {"textfooler": ta.attack_recipes.TextFoolerJin2019, "iga": ta.attack_recipes.IGAWang2019}[name].build(wrapper)
    finally:
        del ta.shared.utils.GLOBAL_OBJECTS["textattack_counterfitted_GLOVE_embedding"]
    if name == "iga":
        goal.query_budget = budget
        constraints = [stop_words, ta.constraints.overlap.MaxWordsPerturbed(max_percent=0.2), *near_enough]
        return ta.Attack(goal, constraints, swap, published.search_method)

    class Similarity(ta.constraints.semantics.sentence_encoders.SentenceEncoder):
        def encode(self, sentences: list[str]) -> Any:
            return resources.encode_window(sentences, no_check)

    rule = {"metric": "angular", "compare_against_original": False, "window_size": WINDOW, "skip_text_shorter_than_window": True}
    constraints = [
        *published.pre_transformation_constraints,
        *near_enough,
        _word_class(ta, resources),
        Similarity(threshold=resources.synonyms.min_similarity, **rule),
    ]
    return ta.Attack(goal, constraints, swap, greedy)


def _synonyms(ta: Any, source: Any, recipe: str) -> tuple[Any, list[Any]]:
    """Returns the transformation that swaps synonyms, and the constraints that the source needs: a distance for word vectors, none for senses."""
    if isinstance(source, Neighbours):
        index = {word: i for i, word in enumerate(source.words)}
        embedding = ta.shared.WordEmbedding(source.vectors, index, dict(enumerate(source.words)), source.neighbours)
        rule = {"max_mse_dist": 0.5, "compare_against_original": False} if recipe == "iga" else {"min_cos_sim": source.min_cosine}
        distance = ta.constraints.semantics.WordEmbeddingDistance(embedding=embedding, **rule)
        return ta.transformations.WordSwapEmbedding(max_candidates=NEIGHBOURS, embedding=embedding), [distance]
    recase = ta.transformations.word_swaps.word_swap_embedding.recover_word_case

    class SenseSwap(ta.transformations.WordSwap):
        def _get_transformations(self, current_text: Any, indices_to_modify: Any) -> list[Any]:
            original = current_text
            while "previous_attacked_text" in original.attack_attrs:
                original = original.attack_attrs["previous_attacked_text"]
            words, made = changes.places(original.text, original.words), []
            for i in indices_to_modify:
                now = current_text.words[i]
                for synonym in source.offers(original.text, words, original_index(current_text, i), now)[:NEIGHBOURS]:
                    word = recase(synonym.word, now)
                    if synonym.refused_by is None and word != now:
                        made.append(current_text.replace_word_at_index(i, word))
            return made

    return SenseSwap(), []


def outcome(attack: Any, text: str, label: int, seed: int = 0) -> tuple[str, str, int]:
    """Attacks one text with TextAttack itself and returns outcome, final text and number of queries.

    Its random draws have the same seed as the draws of our attacks.
    """
    with drawn_from(seed, text):
        result = attack.attack(text, label)
    perturbed = result.perturbed_result
    named = "skipped" if type(result).__name__ == "SkippedAttackResult" else "held" if int(perturbed.output) == label else "flipped"
    return named, perturbed.attacked_text.text, perturbed.num_queries if named == "skipped" else attack.goal_function.num_queries


def _word_class(ta: Any, resources: Resources) -> Any:
    """Returns the constraint on word classes.

    It uses NLTK's tagger if the resources do. Otherwise it looks up the classes in the dictionary, one word at a time.
    """
    if resources.names.word_classes.startswith("NLTK"):
        return ta.constraints.grammaticality.PartOfSpeech(allow_verb_noun_swap=True)

    class Dictionary(ta.constraints.Constraint):
        def __init__(self) -> None:
            super().__init__(compare_against_original=True)

        def _check_constraint(self, transformed_text: Any, reference_text: Any) -> bool:
            for i in transformed_text.attack_attrs["newly_modified_indices"]:
                before, after = (parts.word_classes(text.words[i]) for text in (reference_text, transformed_text))
                if before and after and not before & after:
                    return False
            return True

    return Dictionary()
