"""The settings of a table that compares methods side by side (the paper's Table 1)."""

from dataclasses import dataclass, field

from robustprune.base import checks
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec
from robustprune.specs.train import BaselineSpec


@dataclass(frozen=True)
class CompareSpec:
    """Compares models under one attack, with one dense model, the same texts and one seed.

    Attributes:
        start: the dense model that is pruned. Every other row of the table is compared with it.
        dataset: the source of all texts. Its training split gives calibration and training texts; its validation or test split gives
            the attacked texts.
        others: further models that are attacked without any pruning.
        prunings: the settings with which ``start`` is pruned.
        baselines: the baselines, which prune by magnitude and retrain. They start from the shipped head for the data set.
        examples: the number of evaluation texts that are attacked.
        attack: the attack. Its seed also selects these texts.
    """

    start: str
    dataset: str
    others: tuple[str, ...] = ()
    prunings: tuple[PruneSpec, ...] = ()
    baselines: tuple[BaselineSpec, ...] = ()
    examples: int = 100
    attack: AttackSpec = field(default_factory=AttackSpec)

    def __post_init__(self) -> None:
        for name in ("others", "prunings", "baselines"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        checks.text("model", self.start)
        checks.text("dataset", self.dataset)
        checks.whole("number of attacked texts", self.examples, 1, 1_000_000)

    @property
    def sparsity(self) -> float | None:
        """The sparsity of the first pruning, else of the first baseline. None if there is neither."""
        return next((one.sparsity for one in (*self.prunings, *self.baselines)), None)
