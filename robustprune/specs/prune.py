"""The settings of a pruning run, as frozen dataclasses that check themselves. A link carries a spec, and store keys are made from it."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from robustprune.base import checks
from robustprune.base.errors import SpecError
from robustprune.specs.methods import METHODS, SCOPES

ADAPTIVE = ("none", "hessian", "full")
ALLOCATIONS = ("uniform", "error")
# With the value AUTO, the ridge is chosen from RIDGES on held-out texts.
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)
AUTO = "auto"
DEVICES = ("auto", "cpu", "cuda")
MAX_SPARSITY = 0.99
MAX_BANK = 1024


@dataclass(frozen=True)
class Pattern:
    """A sparsity pattern: how many weights of a linear layer are zero, and over which weights the zeros are counted.

    Attributes:
        sparsity: the share of zeros.
        scope: where that share is reached: over the whole ``layer``, or in every ``row`` (output) separately.
        bank: M of an N:M pattern, which keeps exactly N of every M consecutive inputs of a row. 0: no N:M pattern.
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
        """The pattern for a string ``"N:M"``. Raises SpecError unless 0 < N < M <= MAX_BANK and the sparsity is at most MAX_SPARSITY."""
        found = re.fullmatch(r"(\d{1,4}):(\d{1,4})", text.strip()) if isinstance(text, str) else None
        keep, bank = map(int, found.groups()) if found else (0, 0)
        if not 0 < keep < bank <= MAX_BANK or 1 - keep / bank > MAX_SPARSITY:
            raise SpecError("specs.pattern_wrong", pattern=text, most=MAX_BANK)
        return cls(1 - keep / bank, "row", bank)

    @property
    def bank_zeros(self) -> int:
        """The number of zero weights in every bank of M weights."""
        return round(self.sparsity * self.bank)


@dataclass(frozen=True)
class PruneSpec:
    """The settings of one pruning run.

    Attributes:
        model: a built-in name, a folder, or a hub id.
        dataset: the source of calibration texts. None: the data set that fits the model.
        method: the name of the solver, one of METHODS.
        adaptive: how a layer adapts to the pruned layers before it: ``none`` not at all; ``hessian`` by using the inputs that the
            sparse model feeds it; ``full`` by also correcting the error of those inputs (Li et al. 2023, Eq. 5).
        sparsity: the share of zeros over all pruned linear layers, in [0, 0.99]. A ``pattern`` overrides it.
        pattern: ``"N:M"`` to keep N of every M consecutive inputs, or None.
        scope: where the sparsity is reached: over the whole ``layer``, or in every ``row``. None: the default of the method.
        calibration: the number of calibration texts. If the data set has fewer texts, all of them are used.
        ridge: the strength of the pull towards the dense weight, relative to the mean diagonal of the Hessian, in [1e-6, 1].
            ``"auto"``: chosen from RIDGES for every group of layers, on texts held out from calibration.
        allocation: ``uniform`` gives every layer the same sparsity; ``error`` distributes the sparsity over the layers so that the sum
            of their errors is smallest.
        layer_sparsities: sparsities of single layers or blocks by name (``block.0``, ``block.2.output.dense``). If several names
            cover a layer, the longest name counts. All other layers have ``sparsity``. Given as a mapping or as pairs.
        residual: whether the last layer of every block also corrects the error on the residual path beside it (an extension of the
            paper). Always False unless ``adaptive`` is ``full``.
        refit_head: whether pooler and classifier are refitted if held-out texts show that this helps.
        seed: the seed for the choice of calibration texts.
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
        """Makes equal settings have equal specs: a pattern sets the sparsity and the scope, and the method sets a scope that is None."""
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
        """A short label for the pattern or the sparsity: ``2:4`` or ``50%``."""
        return self.pattern or f"{self.sparsity:.1%}".replace(".0%", "%")

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The spec that ``to_json`` wrote. Raises SpecError for anything else."""
        return checks.from_json(cls, value)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return {**asdict(self), "layer_sparsities": dict(self.layer_sparsities)}


def parse_layer_sparsities(text: str) -> tuple[tuple[str, float | str], ...]:
    """Parses sparsities of single layers as users type them: ``block.0=0.2, block.5.output.dense=90%``.

    A value that is not a number is returned as a string; PruneSpec then raises the error for it.
    """
    pairs = (part.partition("=") for part in re.split(r"[,;\s]+(?=[A-Za-z])", text.strip()) if part)
    return tuple((name.strip(), _share(share.strip(" ,;"))) for name, _, share in pairs)


def _share(text: str) -> float | str:
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return text


def check_device(name: Any) -> str:
    """Returns the name of a device. Raises SpecError unless it is ``auto``, ``cpu`` or ``cuda``."""
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
