"""What a person asks for, as frozen values that check themselves. A spec is what a link carries and what the store is keyed by."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from robustprune.base import checks
from robustprune.base.errors import SpecError
from robustprune.specs.methods import METHODS, SCOPES

ADAPTIVE = ("none", "hessian", "full")
ALLOCATIONS = ("uniform", "error")
# The ridges that a held-out choice is made from, and the word that asks for it.
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)
AUTO = "auto"
DEVICES = ("auto", "cpu", "cuda")
MAX_SPARSITY = 0.99
MAX_BANK = 1024


@dataclass(frozen=True)
class Pattern:
    """Which weights may be zero together.

    Attributes:
        sparsity: share of zeros.
        scope: where that share is reached: over the whole ``layer``, or in every ``row`` (output) by itself.
        bank: M of an N:M pattern, in which every M consecutive inputs of a row keep exactly N; 0 where there is none.
    """

    sparsity: float
    scope: str = "layer"
    bank: int = 0

    def __post_init__(self) -> None:
        checks.number("sparsity", self.sparsity, 0.0, MAX_SPARSITY)
        checks.one_of("scope", self.scope, SCOPES)
        checks.whole("bank of the pattern", self.bank, 0, MAX_BANK)

    @classmethod
    def parse(cls, text: Any) -> Self:
        """The pattern that ``"N:M"`` names. Raises SpecError unless 0 < N < M."""
        found = re.fullmatch(r"(\d{1,4}):(\d{1,4})", text.strip()) if isinstance(text, str) else None
        keep, bank = map(int, found.groups()) if found else (0, 0)
        if not 0 < keep < bank <= MAX_BANK or 1 - keep / bank > MAX_SPARSITY:
            raise SpecError("specs.pattern_wrong", pattern=text, most=MAX_BANK)
        return cls(1 - keep / bank, "row", bank)

    @property
    def bank_zeros(self) -> int:
        """How many weights of every bank are zero."""
        return round(self.sparsity * self.bank)


@dataclass(frozen=True)
class PruneSpec:
    """One run of the pruning engine.

    Attributes:
        model: a built-in name, a folder, or a hub id.
        dataset: where calibration texts come from; None: what fits the model.
        method: the solver, one of METHODS.
        adaptive: how a layer answers to the layers before it (engine levels): ``none`` not at all, ``hessian`` by the inputs
            that the sparse model feeds it, ``full`` also by correcting their error (Li et al. 2023, Eq. 5).
        sparsity: share of zeros over the pruned linear layers, in [0, 0.99]; with a pattern it follows from that.
        pattern: ``"N:M"`` to keep N of every M consecutive inputs, or None.
        scope: whether zeros are allotted over a layer or evenly to its rows; None: as the method has it by default.
        calibration: number of calibration texts; more than there is means all there are.
        ridge: pull towards the dense weight, relative to the mean diagonal of the Hessian, in [1e-6, 1]; or ``"auto"``: chosen
            from RIDGES for every group of layers, on texts kept from calibration.
        allocation: ``uniform``: every layer has the same sparsity; ``error``: the budget is spread so that the layers' errors
            add up to least.
        layer_sparsities: sparsities of single layers or blocks by name (``block.0``, ``block.2.output.dense``), the longest
            name first; the other layers have ``sparsity``. Given as a mapping or as pairs.
        residual: whether the last layer of every block also makes up for the error on the residual path beside it (beyond the
            paper); only where layers adapt fully, else False.
        refit_head: whether pooler and classifier are refitted where held-out texts say that it helps.
        seed: of the draw of calibration texts.
    """

    model: str
    dataset: str | None = None
    method: str = "admm"
    adaptive: str = "full"
    sparsity: float = 0.5
    pattern: str | None = None
    scope: str | None = None
    calibration: int = 512
    ridge: float | str = 0.01
    allocation: str = "uniform"
    layer_sparsities: tuple[tuple[str, float], ...] = ()
    residual: bool = True
    refit_head: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        checks.text("model", self.model)
        if self.dataset is not None:
            checks.text("dataset", self.dataset)
        checks.one_of("method", self.method, tuple(METHODS))
        checks.one_of("adaptive", self.adaptive, ADAPTIVE)
        checks.one_of("allocation", self.allocation, ALLOCATIONS)
        if self.ridge != AUTO:
            self._set("ridge", float(checks.number("ridge", self.ridge, 1e-6, 1.0)))
        checks.whole("calibration", self.calibration, 16, 100_000)
        checks.whole("seed", self.seed, 0, checks.MAX_SEED)
        checks.yes_or_no("residual", self.residual)
        checks.yes_or_no("refit_head", self.refit_head)
        self._set("residual", self.residual and self.adaptive == "full")
        self._set("sparsity", float(checks.number("sparsity", self.sparsity, 0.0, MAX_SPARSITY)))
        self._settle_scope()
        self._set("layer_sparsities", _layer_sparsities(self.layer_sparsities))
        if sum((self.pattern is not None, self.allocation != "uniform", bool(self.layer_sparsities))) > 1:
            raise SpecError("specs.exclude_each_other")

    def _settle_scope(self) -> None:
        """One spelling for one thing: a pattern settles the sparsity and the scope, a method the scope that was left open."""
        if self.pattern is not None:
            pattern = Pattern.parse(self.pattern)
            self._set("pattern", f"{pattern.bank - pattern.bank_zeros}:{pattern.bank}")
            self._set("sparsity", pattern.sparsity)
            self._set("scope", pattern.scope)
            return
        method = METHODS[self.method]
        self._set("scope", method.scope if self.scope is None else self.scope)
        checks.one_of("scope", self.scope, SCOPES)
        if self.scope not in method.scopes:
            raise SpecError("specs.scope_not_known", method=self.method, scope=self.scope, allowed=method.scopes)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def asked(self) -> str:
        """What was asked for in a few characters: ``50%``, ``2:4``."""
        return self.pattern or f"{self.sparsity:.1%}".replace(".0%", "%")

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The spec that ``to_json`` wrote. Raises SpecError for anything else."""
        return checks.from_json(cls, value)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return {**asdict(self), "layer_sparsities": dict(self.layer_sparsities)}


def parse_layer_sparsities(text: str) -> tuple[tuple[str, float | str], ...]:
    """Sparsities of single layers as people type them: ``block.0=0.2, block.5.output.dense=90%``. What is wrong, the spec says."""
    pairs = (part.partition("=") for part in re.split(r"[,;\s]+(?=[A-Za-z])", text.strip()) if part)
    return tuple((name.strip(), _share(share.strip(" ,;"))) for name, _, share in pairs)


def _share(text: str) -> float | str:
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return text


def check_device(name: Any) -> str:
    """The name of a device. Raises SpecError for any other than ``auto``, ``cpu`` and ``cuda``."""
    checks.one_of("device", name, DEVICES)
    return name


def _layer_sparsities(value: Any) -> tuple[tuple[str, float], ...]:
    pairs = value.items() if isinstance(value, Mapping) else value
    try:
        pairs = list(pairs)
        by_name = dict(pairs)
    except (TypeError, ValueError):
        raise SpecError("specs.layer_sparsities_wrong", value=value) from None
    if len(by_name) < len(pairs):
        raise SpecError("specs.layer_named_twice", names=", ".join((str(name) for name, _ in pairs)))
    for name, sparsity in by_name.items():
        checks.text("layer", name)
        checks.number(f"sparsity of {name}", sparsity, 0.0, MAX_SPARSITY)
    return tuple(sorted((name, float(sparsity)) for name, sparsity in by_name.items()))
