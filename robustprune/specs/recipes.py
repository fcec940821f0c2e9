"""The attack recipes by name: the source of each, the resources it needs, and one sentence about it. No attack library is imported."""

import json
from dataclasses import dataclass
from functools import cache

from robustprune.base import paths

# The resources that a recipe may need. The first three have a built-in substitute, so only the last two can be missing.
SYNONYMS, WORD_CLASSES, SIMILARITY, WORDNET, MASKED_LM = "synonyms", "word_classes", "similarity", "wordnet", "masked_lm"


@dataclass(frozen=True)
class Recipe:
    """An attack recipe from the literature.

    Attributes:
        title: the name that its authors give it.
        source: the authors and the place of publication.
        needs: the resources that it uses.
        flips: True if it tries to flip the prediction. False if it removes words while the prediction stays the same.
        counts_words: whether it accepts a limit on the number of changed words.
        draws: whether its proposals are random. If so, proposals are drawn separately for each victim; otherwise victims share them.
        stop_words: the list of stop words that it never changes: its ``own`` list, a ``general`` list, or none (an empty string).
    """

    title: str
    source: str
    needs: frozenset[str] = frozenset()
    flips: bool = True
    stop_words: str = "general"
    counts_words: bool = True
    draws: bool = False


RECIPES: dict[str, Recipe] = {
    "textfooler": Recipe("TextFooler", "Jin et al., AAAI 2020, arXiv 1907.11932", frozenset({SYNONYMS, WORD_CLASSES, SIMILARITY}), stop_words="own"),
    "textbugger": Recipe("TextBugger", "Li et al., NDSS 2019, arXiv 1812.05271", frozenset({SYNONYMS, SIMILARITY}), draws=True),
    "deepwordbug": Recipe("DeepWordBug", "Gao et al., SPW 2018, arXiv 1801.04354", draws=True),
    "pruthi": Recipe("Pruthi et al.", "Pruthi et al., ACL 2019, arXiv 1905.11268", draws=True),
    "bad-characters": Recipe("Bad Characters", "Boucher et al., S&P 2022, arXiv 2106.09898", stop_words="", draws=True),
    "input-reduction": Recipe("Input Reduction", "Feng et al., EMNLP 2018, arXiv 1804.07781", flips=False, counts_words=False),
    "pwws": Recipe("PWWS", "Ren et al., ACL 2019", frozenset({WORDNET})),
    "bert-attack": Recipe("BERT-Attack", "Li et al., EMNLP 2020, arXiv 2004.09984", frozenset({MASKED_LM, SIMILARITY})),
    "bae": Recipe("BAE", "Garg and Ramakrishnan, EMNLP 2020, arXiv 2004.01970", frozenset({MASKED_LM, WORD_CLASSES, SIMILARITY})),
    "iga": Recipe("IGA", "Wang et al., 2019, arXiv 1909.06723", frozenset({SYNONYMS}), counts_words=False),
}

# The perturbations of bad-characters. The first is the default; homoglyphs come first, as in the authors' list.
PERTURBATIONS = ("homoglyphs", "invisible", "deletions", "reorderings")


def about(name: str, language: str = "en") -> str:
    """Returns one sentence about a recipe, in English (``en``) or Chinese (``zh``)."""
    return _sentences()[name][language]


@cache
def _sentences() -> dict[str, dict[str, str]]:
    return json.loads((paths.ASSETS / "recipes.json").read_text(encoding="utf-8"))
