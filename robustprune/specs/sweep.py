"""The settings of a sweep: a YAML file of lists whose product gives the runs. The whole file is checked before the first run."""

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

import yaml

from robustprune.base import checks
from robustprune.base.errors import SpecError
from robustprune.base.messages import say
from robustprune.specs.attack import AttackSpec
from robustprune.specs.methods import METHODS
from robustprune.specs.prune import ADAPTIVE, PruneSpec
from robustprune.specs.train import BASELINE_FREELB, BASELINE_NAMES, BASELINE_ROWS, BaselineSpec, FreeLB, TrainSpec

MAX_RUNS = 10_000
MAX_BYTES = 1_000_000
# This value of ``adaptive`` selects, for each method, the level that the method was published with.
PUBLISHED = "published"
LEVELS = (PUBLISHED, *ADAPTIVE)
# This data set name selects the demo texts that belong to each start.
DEMO = "demo"


@dataclass(frozen=True)
class Attacks:
    """How every model of a sweep is attacked.

    Attributes:
        recipes: the names of one or several of the RECIPES.
        examples: the number of evaluation texts. All models on a data set are attacked on the same texts.
        query_budget: the largest number of queries per text.
        seed: the seed for the choice of those texts and for all random choices of the recipes.
    """

    recipes: tuple[str, ...] = ("textfooler", "deepwordbug")
    examples: int = 60
    query_budget: int = AttackSpec.query_budget
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "recipes", _list("recipes of the attack", self.recipes))
        checks.whole("number of attacked texts", self.examples, 1, 1_000_000)
        _ = self.specs

    @property
    def specs(self) -> tuple[AttackSpec, ...]:
        """The spec of each attack. All use the built-in resources, because every worker of a cluster must use the same resources."""
        return tuple(AttackSpec(recipe, self.query_budget, resources="built-in", seed=self.seed) for recipe in self.recipes)


@dataclass(frozen=True)
class SweepSpec:
    """Many runs: the product of the lists. Every run is attacked with every recipe.

    Attributes:
        starts: the dense models that are pruned. They are also attacked without pruning, for comparison.
        datasets: the sources of texts. ``demo`` means the demo texts of each start; None means the data set that fits the start.
        methods: the pruning methods.
        adaptive: the levels at which layers adapt (see ``PruneSpec.adaptive``). ``published`` means the level that each method was
            published with.
        sparsities: the shares of zeros.
        patterns: N:M patterns, in addition to ``sparsities``.
        calibrations: the numbers of calibration texts.
        seeds: the seeds for the choice of calibration texts. Each seed gives a separate run.
        beside: further models that are attacked without pruning, for comparison.
        baselines: the names of baselines, which prune by magnitude and retrain. They start from the shipped head for the data set and run
            at every sparsity and seed.
        rows: the number of training texts in every round of a baseline.
        attack: the attacks.
        keep_weights: whether the pruned weights are kept after the attacks. Without them, they can be computed again from the settings.
    """

    starts: tuple[str, ...]
    datasets: tuple[str | None, ...] = (None,)
    methods: tuple[str, ...] = ("admm",)
    adaptive: tuple[str, ...] = (PUBLISHED,)
    sparsities: tuple[float, ...] = ()
    patterns: tuple[str, ...] = ()
    calibrations: tuple[int, ...] = (PruneSpec.calibration,)
    seeds: tuple[int, ...] = (0,)
    beside: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()
    rows: int = BASELINE_ROWS
    attack: Attacks = field(default_factory=Attacks)
    keep_weights: bool = False

    def __post_init__(self) -> None:
        for name in ("starts", "datasets", "methods", "adaptive", "calibrations", "seeds"):
            object.__setattr__(self, name, _list(name, getattr(self, name)))
        for name in ("sparsities", "patterns", "beside", "baselines"):
            object.__setattr__(self, name, _list(name, getattr(self, name), may_be_empty=getattr(self, name) == ()))
        if not self.sparsities and not self.patterns:
            raise SpecError("specs.sweep_without_sparsities")
        for level in self.adaptive:
            checks.one_of("level of adapting", level, LEVELS)
        for name in self.baselines:
            checks.one_of("baseline", name, BASELINE_NAMES)
        checks.whole("number of training texts (rows)", self.rows, 2, 100_000_000)
        checks.yes_or_no("keep_weights", self.keep_weights)
        if not isinstance(self.attack, Attacks):
            raise SpecError("specs.sweep_attack_wrong", attack=self.attack, fields=", ".join(one.name for one in fields(Attacks)))
        if self.size > MAX_RUNS:
            raise SpecError("specs.sweep_too_large", runs=self.size, sizes=self._sizes(), most=MAX_RUNS)
        for start in self.starts[:1]:
            for dataset in self.datasets[:1]:
                self.prunings(start, dataset)
        self.retrainings()

    @property
    def size(self) -> int:
        """The number of runs in the product. Runs that turn out to be identical are counted separately."""
        levels = len(self.sparsities) + len(self.patterns)
        ways = len(self.methods) * len(self.adaptive) * levels * len(self.calibrations)
        return len(self.starts) * len(self.datasets) * (ways + len(self.baselines) * len(self.sparsities)) * len(self.seeds)

    def prunings(self, start: str, dataset: str | None) -> list[PruneSpec]:
        """All prunings of a start on a data set, without duplicates. Raises SpecError for a value that is not valid."""
        amounts = [{"sparsity": sparsity} for sparsity in self.sparsities] + [{"pattern": pattern} for pattern in self.patterns]
        made: dict[PruneSpec, None] = {}
        for seed in self.seeds:
            for amount in amounts:
                for calibration in self.calibrations:
                    for method in self.methods:
                        checks.one_of("method", method, tuple(METHODS))
                        for level in self.adaptive:
                            adaptive = METHODS[method].adaptive if level == PUBLISHED else level
                            made[PruneSpec(start, dataset, method, adaptive, calibration=calibration, seed=seed, **amount)] = None
        return list(made)

    def retrainings(self) -> list[tuple[BaselineSpec, int]]:
        """All baselines of the sweep, each with its seed."""
        made = []
        for seed in self.seeds:
            plain = TrainSpec(rows=self.rows, seed=seed)
            adversarial = replace(plain, freelb=FreeLB(BASELINE_FREELB))
            made += [(BaselineSpec.named(name, sparsity, plain, adversarial), seed) for sparsity in self.sparsities for name in self.baselines]
        return made

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)

    def _sizes(self) -> str:
        names = ("starts", "datasets", "methods", "adaptive", "sparsities", "patterns", "calibrations", "seeds", "baselines")
        return ", ".join(f"{len(values)} {name}" for name in names if (values := getattr(self, name)))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads a sweep from a YAML file.

        Raises:
            SpecError: the file cannot be read, is not YAML, or has a value that is not valid. The message names the line or the field.
        """
        try:
            if path.stat().st_size > MAX_BYTES:
                raise SpecError("specs.sweep_file_too_large", path=path, size=path.stat().st_size, most=MAX_BYTES)
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise SpecError("specs.no_sweep_file", path=str(path)) from None
        except UnicodeDecodeError as error:
            raise SpecError("specs.sweep_not_utf8", path=path, byte=error.start) from error
        except OSError as error:
            raise SpecError("specs.sweep_cannot_be_read", path=path, why=error.strerror) from error
        return cls.parse(text, path.name)

    @classmethod
    def parse(cls, text: str, name: str = "The sweep") -> Self:
        """Builds the sweep that a YAML text describes. Error messages call the text ``name``. Raises SpecError like :meth:`read`."""
        try:
            value = yaml.load(text, _Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            where = say("specs.sweep_place", line=mark.line + 1, column=mark.column + 1) if mark else ""
            raise SpecError("specs.sweep_no_yaml_at", name=name, where=where, why=error.problem) from error
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise SpecError("specs.sweep_no_yaml", name=name, why=error) from error
        value = _known(cls, value, name)
        if "attack" in value:
            value["attack"] = Attacks(**_known(Attacks, value["attack"], f"{name}, attack"))
        if "starts" not in value:
            raise SpecError("specs.sweep_without_starts", name=name)
        return cls(**value)


class _Loader(yaml.SafeLoader):
    """Reads plain values only.

    Raises an error for a key that occurs twice, because YAML would silently use the last value. Raises an error for an alias, because
    with aliases a few bytes can expand to gigabytes.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(None, None, f"the alias *{event.anchor} is not read; write out what it stands for", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a field's name must be a word", key.start_mark)
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(None, None, f"the field {key.value!r} stands twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _known(cls: type, value: Any, name: str) -> dict[str, Any]:
    """Returns a copy of a mapping. Raises SpecError for a key that is not a field of ``cls``; the message suggests the most similar field."""
    if not isinstance(value, dict):
        raise SpecError("specs.sweep_no_fields", name=name, given=say("specs.nothing") if value is None else type(value).__name__)
    allowed = [one.name for one in fields(cls)]
    for key in value:
        if key not in allowed:
            near = difflib.get_close_matches(str(key), allowed, 1)
            meant = say("specs.did_you_mean", field=near[0]) if near else ""
            raise SpecError("specs.sweep_unknown_field", name=name, field=key, allowed=allowed, meant=meant)
    return dict(value)


def _list(name: str, value: Any, may_be_empty: bool = False) -> tuple[Any, ...]:
    """Returns a list of plain values as a tuple. A single value becomes a tuple of length one.

    Raises:
        SpecError: the list is empty, holds a value that is not plain, or holds a value twice.
    """
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if not values and not may_be_empty:
        raise SpecError("specs.sweep_list_empty", name=name)
    for one in values:
        if not isinstance(one, str | int | float | None):
            raise SpecError("specs.sweep_list_value", name=name, value=one)
    if len(set(map(repr, values))) < len(values):
        raise SpecError("specs.sweep_list_twice", name=name, values=", ".join(map(str, values)))
    return tuple(values)
