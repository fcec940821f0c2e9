"""What an attack is asked to be, and which texts can be attacked."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from robustprune.base import checks
from robustprune.base.errors import SpecError
from robustprune.specs.recipes import MASKED_LM, PERTURBATIONS, RECIPES, SYNONYMS

# Which resources an attack takes: the published ones where they are on this machine, or those that are on any.
RESOURCES = ("auto", "built-in")
MAX_WORDS = 3000
MAX_CHARACTERS = 30_000  # of scripts that put no spaces between words
# TextAttack joins sentence pairs with it and would cut a text there.
SPLIT_MARK = "<SPLIT>"


@dataclass(frozen=True)
class AttackSpec:
    """How texts are attacked: the recipe, what it takes its words from, and what it may cost.

    Attributes:
        recipe: one of the catalogue's RECIPES.
        query_budget: most queries of the victim a text; a text that holds until then holds *within that budget*.
        word_budget: most words changed in a text, in the same sense; None: as many as the recipe likes.
        seconds: most seconds a text; one that takes longer counts as stopped: nothing is known about it. None: no limit.
        resources: ``auto``: the published resources where they are on this machine; ``built-in``: those that are on any.
        synonyms: a file of synonym pairs (two words a line) to take as the only source of synonyms; None: the resources'.
        masked_lm: the masked language model (a folder or a hub id) of those recipes that need one.
        perturbation: how bad-characters perturbs, one of PERTURBATIONS; for the other recipes None.
        seed: of the draw of texts and of whatever the recipe draws.
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
    """A time limit. Raises SpecError unless it is a number of seconds from 0.1 to a day."""
    return float(checks.number("time limit in seconds", value, 0.1, 86_400))


def check_text(text: Any) -> str:
    """A text that a person typed, stripped. Raises SpecError if it is empty, has no letters, or is too long to show."""
    stripped = check_attackable(text).strip()
    if not any(character.isalpha() for character in stripped):
        raise SpecError("specs.text_without_letters")
    return stripped


def check_attackable(text: Any) -> str:
    """A text as it is. Raises SpecError if attacks cannot read it: it is empty, too long, or holds what they take for a mark of theirs."""
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
    """A class index of the model. Raises SpecError naming the classes otherwise."""
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < len(names):
        allowed = ", ".join(f"{i} ({name})" for i, name in enumerate(names))
        raise SpecError("specs.no_such_label", label=label, allowed=allowed)
    return label
