"""The attack recipes by name: where each comes from, what it needs, and one sentence about it. Reading this loads nothing."""

import json
from dataclasses import dataclass
from functools import cache

from robustprune.base import paths

# What a recipe may need. The first three have a built-in form, so only the last two can be missing.
SYNONYMS, WORD_CLASSES, SIMILARITY, WORDNET, MASKED_LM = "synonyms", "word_classes", "similarity", "wordnet", "masked_lm"


@dataclass(frozen=True)
class Recipe:
    """A recipe of the literature.

    Attributes:
        title: as its authors call it; ``source``: who, where.
        needs: which resources it uses.
        flips: whether it tries to flip the prediction; the other kind takes words away for as long as the prediction stays.
        counts_words: whether it can be held to a number of changed words.
        draws: whether it draws what it proposes at random, so that every model gets draws of its own.
        stop_words: whose list of words it leaves alone: its ``own``, a ``general`` one, or none.
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

# How bad-characters perturbs; homoglyphs first, as its authors have it.
PERTURBATIONS = ("homoglyphs", "invisible", "deletions", "reorderings")


def about(name: str, language: str = "en") -> str:
    """One sentence about a recipe, in English (``en``) or Chinese (``zh``)."""
    return _sentences()[name][language]


@cache
def _sentences() -> dict[str, dict[str, str]]:
    return json.loads((paths.ASSETS / "recipes.json").read_text(encoding="utf-8"))
