"""What a person asks for, as frozen values that check themselves. A spec is what a link carries and what the store is keyed by."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from robustprune import hashing
from robustprune.errors import SpecError

METHODS = ("magnitude", "sparsegpt", "admm")
ADAPTIVE = ("none", "hessian", "full")
SCOPES = ("layer", "row")
RECIPES = ("textfooler",)
MAX_SPARSITY = 0.99
MAX_WORDS = 512
MAX_SEED = 2**31 - 1
# TextAttack joins sentence pairs with it and would cut a text there.
SPLIT_MARK = "<SPLIT>"


@dataclass(frozen=True)
class Pattern:
    """Which weights may be zero together: a sparsity, reached over the whole layer or in every row by itself."""

    sparsity: float
    scope: str = "layer"

    def __post_init__(self) -> None:
        _number("sparsity", self.sparsity, 0.0, MAX_SPARSITY)
        _one_of("scope", self.scope, SCOPES)


@dataclass(frozen=True)
class PruneSpec:
    """One run of the pruning engine.

    Attributes:
        model: a built-in name, a folder, or a hub id.
        dataset: where calibration texts come from; None: what fits the model.
        method: the solver, one of METHODS.
        adaptive: how a layer answers to the layers before it (engine levels): ``none`` not at all, ``hessian`` by the inputs
            that the sparse model feeds it, ``full`` also by correcting their error (Li et al. 2023, Eq. 5).
        sparsity: share of zeros over the pruned linear layers, in [0, 0.99].
        scope: whether zeros are allotted over a layer or evenly to its rows.
        calibration: number of calibration texts; more than there is means all there is.
        ridge: pull towards the dense weight, relative to the mean diagonal of the Hessian, in [1e-6, 1].
        seed: of the draw of calibration texts.
    """

    model: str
    dataset: str | None = None
    method: str = "admm"
    adaptive: str = "full"
    sparsity: float = 0.5
    scope: str = "layer"
    calibration: int = 512
    ridge: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        _text("model", self.model)
        _one_of("method", self.method, METHODS)
        _one_of("adaptive", self.adaptive, ADAPTIVE)
        _number("ridge", self.ridge, 1e-6, 1.0)
        _whole("calibration", self.calibration, 16, 100_000)
        _whole("seed", self.seed, 0, MAX_SEED)
        object.__setattr__(self, "sparsity", float(_number("sparsity", self.sparsity, 0.0, MAX_SPARSITY)))
        Pattern(self.sparsity, self.scope)

    @property
    def pattern(self) -> Pattern:
        """The pattern that every pruned layer follows."""
        return Pattern(self.sparsity, self.scope)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The spec that ``to_json`` wrote. Raises SpecError for anything else."""
        return _from_json(cls, value)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)


@dataclass(frozen=True)
class AttackSpec:
    """How texts are attacked: the recipe and what it may cost.

    Attributes:
        recipe: one of RECIPES.
        query_budget: most queries of the victim a text; a text that holds until then holds *within that budget*.
        seed: of the draw of texts.
    """

    recipe: str = "textfooler"
    query_budget: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        _one_of("recipe", self.recipe, RECIPES)
        _whole("query budget", self.query_budget, 1, 1_000_000)
        _whole("seed", self.seed, 0, MAX_SEED)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The spec that ``to_json`` wrote. Raises SpecError for anything else."""
        return _from_json(cls, value)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)


def digest(kind: str, *parts: Any) -> str:
    """The key of cache, job and folder: SHA-256 over what was asked for and what it resolved to, 16 hex digits."""
    return hashing.of_json([kind, *parts])[:16]


def check_text(text: Any) -> str:
    """A text that a person typed, stripped. Raises SpecError if it is empty, has no letters, or is too long to show."""
    if not isinstance(text, str) or not text.strip():
        raise SpecError("The text is empty. Type a sentence.")
    stripped = text.strip()
    if any("\ud800" <= character <= "\udfff" for character in stripped):
        raise SpecError("The text holds bytes that are no UTF-8 characters. Type it again.")
    if SPLIT_MARK in stripped:
        raise SpecError(f"The text holds {SPLIT_MARK}, which attacks take for the end of a sentence. Leave it out.")
    if not any(character.isalpha() for character in stripped):
        raise SpecError("The text has no letters, so there is no word to look at. Type a sentence.")
    words = len(stripped.split())
    if words > MAX_WORDS:
        raise SpecError(f"The text has {words:,} words; at most {MAX_WORDS} are allowed. Shorten it.")
    return stripped


def check_label(label: Any, names: tuple[str, ...]) -> int:
    """A class index of the model. Raises SpecError naming the classes otherwise."""
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < len(names):
        allowed = ", ".join(f"{i} ({name})" for i, name in enumerate(names))
        raise SpecError(f"The model has no label {label!r}; it knows: {allowed}.")
    return label


def _from_json(cls: type, value: Any) -> Any:
    if not isinstance(value, dict):
        raise SpecError(f"A {cls.__name__} is a JSON object, not {type(value).__name__}.")
    known = {field.name for field in fields(cls)}
    unknown = sorted(set(value) - known)
    if unknown:
        raise SpecError(f"A {cls.__name__} has no field {unknown[0]!r}; allowed are: {', '.join(sorted(known))}.")
    try:
        return cls(**value)
    except TypeError as error:
        raise SpecError(f"A {cls.__name__} is incomplete: {error}.") from error


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise SpecError(f"The {name} is {value!r}; a name is needed.")


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SpecError(f"The {name} {value!r} is not known; allowed are: {', '.join(allowed)}.")


def _number(name: str, value: Any, low: float, high: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not low <= value <= high:
        raise SpecError(f"The {name} is {value!r}; it must be a number from {low:g} to {high:g}.")
    return value


def _whole(name: str, value: Any, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise SpecError(f"The {name} is {value!r}; it must be a whole number from {low} to {high}.")
