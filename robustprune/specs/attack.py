"""The settings of an attack, and the checks of texts that are to be attacked."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from robustprune.base import checks
from robustprune.base.errors import SpecError
from robustprune.specs.recipes import MASKED_LM, PERTURBATIONS, RECIPES, SYNONYMS

# The resources that an attack uses: the published ones if they are on this machine, or the built-in ones, which are on every machine.
RESOURCES = ("auto", "built-in")
MAX_WORDS = 3000
MAX_CHARACTERS = 30_000  # limits texts in scripts that put no spaces between words
# TextAttack joins sentence pairs with this mark and would cut a text there.
SPLIT_MARK = "<SPLIT>"


@dataclass(frozen=True)
class AttackSpec:
    """How texts are attacked: the recipe, its resources, and its budgets.

    Attributes:
        recipe: the name of one of the RECIPES.
        query_budget: the largest number of queries to the victim per text. A text that withstands them is robust *within that budget*.
        word_budget: the largest number of changed words per text, with the same meaning. None: only the recipe limits it.
        seconds: the time limit per text in seconds. A text that takes longer counts as stopped, with an unknown result. None: no limit.
        resources: ``auto`` uses the published resources if they are on this machine; ``built-in`` uses those that every machine has.
        synonyms: a file of synonym pairs (two words per line) that replaces all other sources of synonyms. None: the synonyms
            that ``resources`` selects.
        masked_lm: the masked language model (a folder or a hub id) for the recipes that need one.
        perturbation: the kind of perturbation of the recipe bad-characters, one of PERTURBATIONS. None for all other recipes.
        seed: the seed for the choice of texts and for all random choices of the recipe.
    """

    recipe: str = "textfooler"
    query_budget: int = 1000
    word_budget: int | None = None
    seconds: float | None = None
    resources: str = "auto"
    synonyms: str | None = None
    masked_lm: str | None = None
    perturbation: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        checks.one_of("recipe", self.recipe, tuple(RECIPES))
        checks.whole("query budget", self.query_budget, 1, 1_000_000)
        if self.word_budget is not None:
            checks.whole("word budget", self.word_budget, 1, MAX_WORDS)
            if not RECIPES[self.recipe].counts_words:
                raise SpecError("specs.no_word_budget", recipe=self.recipe)
        if self.seconds is not None:
            object.__setattr__(self, "seconds", check_seconds(self.seconds))
        checks.one_of("resources", self.resources, RESOURCES)
        checks.whole("seed", self.seed, 0, checks.MAX_SEED)
        for setting, need in (("synonyms", SYNONYMS), ("masked_lm", MASKED_LM)):
            value = getattr(self, setting)
            if value is not None:
                checks.text(setting, value)
                if need not in RECIPES[self.recipe].needs:
                    users = ", ".join(name for name, recipe in RECIPES.items() if need in recipe.needs)
                    raise SpecError("specs.resource_not_used", recipe=self.recipe, setting=setting.replace("_", "-"), allowed=users)
        self._settle_perturbation()

    def _settle_perturbation(self) -> None:
        if self.recipe == "bad-characters":
            object.__setattr__(self, "perturbation", PERTURBATIONS[0] if self.perturbation is None else self.perturbation)
            checks.one_of("perturbation", self.perturbation, PERTURBATIONS)
        elif self.perturbation is not None:
            raise SpecError("specs.no_perturbation", recipe=self.recipe)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The spec that ``to_json`` wrote. Raises SpecError for anything else."""
        return checks.from_json(cls, value)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)


def check_seconds(value: Any) -> float:
    """Returns a time limit as a float. Raises SpecError unless it is a number of seconds from 0.1 to 86,400 (one day)."""
    return float(checks.number("time limit in seconds", value, 0.1, 86_400))


def check_text(text: Any) -> str:
    """Returns a text that a user typed, stripped. Raises SpecError if it has no letters, or if :func:`check_attackable` rejects it."""
    stripped = check_attackable(text).strip()
    if not any(character.isalpha() for character in stripped):
        raise SpecError("specs.text_without_letters")
    return stripped


def check_attackable(text: Any) -> str:
    """Returns a text unchanged.

    Raises:
        SpecError: attacks cannot process the text. It is blank, too long, not valid UTF-8, or contains SPLIT_MARK.
    """
    if not isinstance(text, str) or not text.strip():
        raise SpecError("specs.text_empty")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise SpecError("specs.text_not_utf8")
    if SPLIT_MARK in text:
        raise SpecError("specs.text_with_split_mark", mark=SPLIT_MARK)
    if len(text) > MAX_CHARACTERS and len(text.split()) <= MAX_WORDS:
        raise SpecError("specs.text_too_many_characters", count=len(text), most=MAX_CHARACTERS)
    words = len(text.split())
    if words > MAX_WORDS:
        raise SpecError("specs.text_too_many_words", count=words, most=MAX_WORDS)
    return text


def check_label(label: Any, names: tuple[str, ...]) -> int:
    """Returns the label. Raises SpecError, which names the classes, unless it is a class index of the model."""
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < len(names):
        allowed = ", ".join(f"{i} ({name})" for i, name in enumerate(names))
        raise SpecError("specs.no_such_label", label=label, allowed=allowed)
    return label
