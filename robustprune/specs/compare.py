"""What a table of methods side by side is asked to be (the paper's Table 1)."""

from dataclasses import dataclass, field

from robustprune.base import checks
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec
from robustprune.specs.train import BaselineSpec


@dataclass(frozen=True)
class CompareSpec:
    """Models under one attack, on one start, the same texts and one seed.

    Attributes:
        start: the dense model that is pruned; every other row is compared with it.
        dataset: where all texts come from: its training split for calibration and training, validation or test for attacks.
        others: models that are attacked beside it as they are.
        prunings: the ways in which ``start`` is pruned.
        baselines: what is pruned by magnitude and retrained, from the data set's head.
        examples: number of evaluation texts that are attacked.
        attack: the attack; its seed also draws these texts.
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
        """The sparsity of what is pruned here; None where nothing is."""
        return next((one.sparsity for one in (*self.prunings, *self.baselines)), None)
