"""The attack recipes, built from TextAttack's own classes and our resources, with the settings of TextAttack's recipes.

Differences from TextAttack's recipes: synonyms, word classes and similarity come from ``resources``. TextBugger and bad-characters take
look-alike characters from our table, because the installed library lacks its own. The goal of bad-characters is to flip the prediction,
like that of most recipes here, instead of reaching a chosen class.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from robustprune.attacks.engine import library
from robustprune.attacks.engine import parts as engine_parts
from robustprune.attacks.engine.victim import BATCH_SIZE
from robustprune.attacks.resources.loading import Resources
from robustprune.attacks.resources.names import MIN_ANGULAR_SIMILARITY, MIN_ANGULAR_SIMILARITY_USE, NEIGHBOURS, WINDOW
from robustprune.base.progress import Check
from robustprune.specs.attack import AttackSpec

# For unit vectors, a squared distance of at most 0.5 (Wang et al. 2019) means a cosine of at least 0.75.
IGA_MIN_COSINE = 0.75
# BAE's threshold 1 - 0.2 / pi is an angular similarity; like TextAttack, we use it as a cosine.
BAE_MIN_COSINE = 0.936338023


@dataclass(frozen=True)
class Kit:
    """Everything a recipe is built from: TextAttack, our own parts, the victim, the resources and the settings."""

    ta: Any
    parts: Any
    victim: Any
    resources: Resources
    spec: AttackSpec
    check: Check

    def attack(self, constraints: list[Any], transformation: Any, search: Any, goal: Any = None) -> Any:
        """Builds the attack, with the word budget as an extra constraint. Without ``goal``, the goal is to flip the prediction."""
        if self.spec.word_budget is not None:
            constraints = [*constraints, self.ta.constraints.overlap.MaxWordsPerturbed(max_num_words=self.spec.word_budget)]
        return self.ta.Attack(goal or self.untargeted(), constraints, transformation, search)

    def untargeted(self) -> Any:
        """The goal function of an untargeted attack: every prediction other than the true label is a success."""
        return self.ta.goal_functions.UntargetedClassification(self.victim, query_budget=self.spec.query_budget, model_batch_size=BATCH_SIZE)

    def no_stop_words(self) -> Any:
        """The constraint that words of the general list of stop words are not changed."""
        return self.ta.constraints.pre_transformation.StopwordModification(stopwords=stop_words(self.resources.names.stop_words))

    def untouched(self) -> list[Any]:
        """The constraints that no word is changed twice and no stop word is changed."""
        return [self.ta.constraints.pre_transformation.RepeatModification(), self.no_stop_words()]

    def synonyms(self, most: int, min_cosine: float) -> Any:
        """The transformation that swaps a word for one of its ``most`` nearest synonyms with a cosine of at least ``min_cosine``."""
        return self.parts.SynonymSwap(self.resources.synonyms, most, min_cosine)

    def word_class(self) -> Any:
        """The constraint that a swap keeps the word class."""
        tagger = self.resources.names.word_classes.startswith("NLTK")
        return self.ta.constraints.grammaticality.PartOfSpeech(allow_verb_noun_swap=True) if tagger else self.parts.SharedWordClass()

    def similarity(self, **rule: Any) -> Any:
        """The constraint that the sentence vector of the text stays similar."""
        return self.parts.SentenceSimilarity(self.resources.encode, self.check, **rule)

    def window_similarity(self, threshold: float, **rule: Any) -> Any:
        """The constraint that the sentence vector of the WINDOW words around a swap stays similar. Texts shorter than the window pass.

        ``threshold`` is used with the published encoder only; the built-in encoder has its own threshold.
        """
        if not self.resources.names.similarity.startswith("Universal"):
            source = self.resources.synonyms
            threshold, rule["metric"] = MIN_ANGULAR_SIMILARITY if source is None else source.min_similarity, "angular"
        rule = {**rule, "threshold": threshold, "window_size": WINDOW, "skip_text_shorter_than_window": True}
        return self.parts.SentenceSimilarity(self.resources.encode_window, self.check, **rule)

    def ranked(self, how: str) -> Any:
        """The greedy search that visits words in the order of their importance and takes the best candidate for each."""
        return self.ta.search_methods.GreedyWordSwapWIR(wir_method=how)

    def characters(self, *names: str, **settings: Any) -> Any:
        """The transformations that misspell a word, given the names of their classes."""
        return [getattr(self.ta.transformations, name)(**settings) for name in names]


def textfooler(kit: Kit) -> Any:
    """``TextFoolerJin2019``: swaps words for near-synonyms of the same word class that keep the meaning of the words around them."""
    similarity = kit.window_similarity(MIN_ANGULAR_SIMILARITY_USE, metric="angular", compare_against_original=False)
    constraints = [*_textfooler_untouched(kit), kit.word_class(), similarity]
    return kit.attack(constraints, kit.synonyms(NEIGHBOURS, kit.resources.synonyms.min_cosine), kit.ranked("delete"))


def textbugger(kit: Kit) -> Any:
    """``TextBuggerLi2018``: inserts a space, deletes a character, swaps two neighbouring characters, or uses a look-alike or a synonym."""
    swaps = kit.ta.transformations
    inner = {"random_one": True, "skip_first_char": True, "skip_last_char": True}
    bugs = [
        swaps.WordSwapRandomCharacterInsertion(letters_to_insert=" ", **inner),
        swaps.WordSwapRandomCharacterDeletion(**inner),
        swaps.WordSwapNeighboringCharacterSwap(**inner),
        kit.parts.HomoglyphSwap(),
        kit.synonyms(5, -1.0),
    ]
    constraints = [*kit.untouched(), kit.similarity(threshold=0.8, metric="angular")]
    return kit.attack(constraints, swaps.CompositeTransformation(bugs), kit.ranked("delete"))


def deepwordbug(kit: Kit) -> Any:
    """``DeepWordBugGao2018``: one random misspelling per word, at most 30 edits (Levenshtein distance) per text."""
    names = ("WordSwapNeighboringCharacterSwap", "WordSwapRandomCharacterSubstitution", "WordSwapRandomCharacterDeletion", "WordSwapRandomCharacterInsertion")
    constraints = [*kit.untouched(), kit.ta.constraints.overlap.LevenshteinEditDistance(30)]
    return kit.attack(constraints, kit.ta.transformations.CompositeTransformation(kit.characters(*names)), kit.ranked("unk"))


def pruthi(kit: Kit) -> Any:
    """``Pruthi2019``: tries every single typing error inside one word of at least four letters."""
    names = ("WordSwapNeighboringCharacterSwap", "WordSwapRandomCharacterDeletion", "WordSwapRandomCharacterInsertion", "WordSwapQWERTY")
    errors = kit.characters(*names, random_one=False, skip_first_char=True, skip_last_char=True)
    pre = kit.ta.constraints.pre_transformation
    constraints = [
        pre.MinWordLength(min_length=4),
        kit.no_stop_words(),
        kit.ta.constraints.overlap.MaxWordsPerturbed(max_num_words=1),
        pre.RepeatModification(),
    ]
    return kit.attack(constraints, kit.ta.transformations.CompositeTransformation(errors), kit.ta.search_methods.GreedySearch())


def bad_characters(kit: Kit) -> Any:
    """``BadCharacters2021``: differential evolution over places and characters. The word budget is the number of perturbations."""
    swaps = kit.ta.transformations
    how = {
        "homoglyphs": kit.parts.HomoglyphSwap,
        "invisible": swaps.WordSwapInvisibleCharacters,
        "deletions": swaps.WordSwapDeletions,
        "reorderings": swaps.WordSwapReorderings,
    }[kit.spec.perturbation]
    search = kit.ta.search_methods.DifferentialEvolution(popsize=32, maxiter=10, verbose=False, max_perturbs=kit.spec.word_budget or 1)
    return kit.ta.Attack(kit.untargeted(), [], how(), search)


def input_reduction(kit: Kit) -> Any:
    """``InputReductionFeng2018``: deletes as many words as possible while the prediction stays the same."""
    goal = kit.ta.goal_functions.InputReduction(kit.victim, maximizable=True, query_budget=kit.spec.query_budget, model_batch_size=BATCH_SIZE)
    return kit.attack(kit.untouched(), kit.ta.transformations.WordDeletion(), kit.ranked("delete"), goal)


def pwws(kit: Kit) -> Any:
    """``PWWSRen2019``: synonyms from WordNet; words are ranked by their saliency and by the effect of the best swap."""
    return kit.attack(kit.untouched(), kit.parts.WordNetSwap(kit.resources.wordnet), kit.ranked("weighted-saliency"))


def bert_attack(kit: Kit) -> Any:
    """``BERTAttackLi2020``: replaces every word piece of a word by one of its eight most likely pieces; changes at most 40 % of the words."""
    constraints = [
        *kit.untouched(),
        kit.ta.constraints.overlap.MaxWordsPerturbed(max_percent=0.4),
        kit.similarity(threshold=0.2, metric="cosine", compare_against_original=True, window_size=None),
    ]
    return kit.attack(constraints, _masked(kit, method="bert-attack", max_candidates=8), kit.ranked("unk"))


def bae(kit: Kit) -> Any:
    """``BAEGarg2019``: replaces a word by one of the 50 words that a masked language model finds most likely in its place."""
    similarity = kit.window_similarity(BAE_MIN_COSINE, metric="cosine", compare_against_original=True)
    constraints = [*kit.untouched(), kit.word_class(), similarity]
    return kit.attack(constraints, _masked(kit, method="bae", max_candidates=NEIGHBOURS, min_confidence=0.0), kit.ranked("delete"))


def iga(kit: Kit) -> Any:
    """``IGAWang2019``: an improved genetic algorithm over close synonyms; changes at most a fifth of the words."""
    constraints = [kit.no_stop_words(), kit.ta.constraints.overlap.MaxWordsPerturbed(max_percent=0.2)]
    search = kit.ta.search_methods.ImprovedGeneticAlgorithm(pop_size=60, max_iters=20, max_replace_times_per_index=5, post_crossover_check=False)
    return kit.attack(constraints, kit.synonyms(NEIGHBOURS, IGA_MIN_COSINE), search)


BUILDERS: dict[str, Callable[[Kit], Any]] = {
    "textfooler": textfooler,
    "textbugger": textbugger,
    "deepwordbug": deepwordbug,
    "pruthi": pruthi,
    "bad-characters": bad_characters,
    "input-reduction": input_reduction,
    "pwws": pwws,
    "bert-attack": bert_attack,
    "bae": bae,
    "iga": iga,
}


def build(victim: Any, resources: Resources, spec: AttackSpec, check: Check) -> Any:
    """Builds the TextAttack attack of a recipe against one victim. ``check`` is called before every batch of the sentence encoder."""
    return BUILDERS[spec.recipe](Kit(library.textattack(), engine_parts.classes(), victim, resources, spec, check))


def stop_words(name: str) -> set[str]:
    """The general list of stop words with that name: NLTK's or scikit-learn's."""
    if name == "NLTK":
        import nltk

        return with_curly(nltk.corpus.stopwords.words("english"))
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return with_curly(ENGLISH_STOP_WORDS)


def with_curly(words: Iterable[str]) -> set[str]:
    """The words, and those with an apostrophe also with a curly one."""
    return {form for word in words for form in (word, word.replace("'", library.CURLY))}


def _textfooler_untouched(kit: Kit) -> list[Any]:
    """TextFooler's own constraints on which words may be changed, taken from TextAttack's recipe.

    To get them, the recipe is built once with a word embedding of a single word; otherwise TextAttack would download its embedding.
    """
    shared, name = kit.ta.shared, "textattack_counterfitted_GLOVE_embedding"
    shared.utils.GLOBAL_OBJECTS[name] = shared.WordEmbedding(np.ones((1, 1)), {"a": 0}, {0: "a"}, np.zeros((1, 1), dtype=int))
    try:
        untouched = kit.ta.attack_recipes.TextFoolerJin2019.build(kit.victim).pre_transformation_constraints
    finally:
        del shared.utils.GLOBAL_OBJECTS[name]
    for constraint in untouched:
        if isinstance(constraint, kit.ta.constraints.pre_transformation.StopwordModification):
            constraint.stopwords = with_curly(constraint.stopwords)
    return untouched


def _masked(kit: Kit, **settings: Any) -> Any:
    model, tokenizer = kit.resources.masked_lm
    return kit.parts.MaskedSwap(masked_language_model=model, tokenizer=tokenizer, **settings)
