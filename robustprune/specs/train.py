"""What a training, a soup and a retrained baseline are asked to be: frozen values that check themselves, as in :mod:`robustprune.specs.prune`."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from robustprune.base import checks
from robustprune.base.errors import SpecError

OPTIMISERS = ("adamw", "adam", "sgd")
PRECISIONS = ("float32", "bfloat16")
MAX_RANK = 256
# The learning rate of what is trained: small new weights, or all weights of a pre-trained encoder.
LEARNING_RATE, FULL_LEARNING_RATE = 1e-3, 3e-5
LENGTHS = {
    "step_size": "size of adversarial steps",
    "start": "start of the adversarial perturbation",
    "max_norm": "largest norm of the adversarial perturbation",
}
BASELINE_METHODS = ("imp", "lth")
BASELINE_NAMES = (*BASELINE_METHODS, *(f"{name}+freelb" for name in BASELINE_METHODS))
# What every round of a baseline trains on, and how hard its adversary works, where a table asks for nothing else.
BASELINE_ROWS, BASELINE_FREELB = 20_000, 3


@dataclass(frozen=True)
class FreeLB:
    """Adversarial training in the embedding space (Zhu et al. 2020, Alg. 1). Lengths are L2 norms over all token embeddings of one text.

    Attributes:
        steps: ascent steps K a batch; their gradients are averaged. 0: no adversarial training.
        step_size: length of an ascent step.
        start: bound of the random start, uniform in every coordinate.
        max_norm: the ball that the perturbation is kept in; 0: as far as the steps carry it.
    """

    steps: int = 0
    step_size: float = 0.1
    start: float = 0.1
    max_norm: float = 0.0

    def __post_init__(self) -> None:
        checks.whole("number of adversarial steps", self.steps, 0, 30)
        for field, name in LENGTHS.items():
            object.__setattr__(self, field, float(checks.number(name, getattr(self, field), 0.0, 100.0)))


@dataclass(frozen=True)
class TrainSpec:
    """One fine-tuning, with a linear schedule after a short warm-up.

    Attributes:
        rank: of the LoRA adapter on every linear layer of the encoder; 0: all weights but the embeddings are trained.
        learning_rate: the peak; None: 1e-3 for an adapter, 3e-5 for all weights.
        optimiser: one of OPTIMISERS; SGD has a momentum of 0.9.
        rows: training texts, drawn by ``seed``; None: all there are.
        held_out: training texts that are left out, with all that overlap them, for the choice between models (see training.split).
        precision: of the forward passes; bfloat16 by autocast, which pays on CPUs with AMX and on CUDA.
        freelb: adversarial training.
        seed: of the draw of rows, the order of texts, dropout, and the perturbations' start.
    """

    rank: int = 8
    learning_rate: float | None = None
    optimiser: str = "adamw"
    epochs: int = 1
    rows: int | None = None
    held_out: int = 0
    batch_size: int = 32
    weight_decay: float = 0.01
    precision: str = "float32"
    freelb: FreeLB = FreeLB()
    seed: int = 0

    def __post_init__(self) -> None:
        checks.whole("rank", self.rank, 0, MAX_RANK)
        if self.learning_rate is None:
            object.__setattr__(self, "learning_rate", LEARNING_RATE if self.rank else FULL_LEARNING_RATE)
        object.__setattr__(self, "learning_rate", float(checks.number("learning rate", self.learning_rate, 1e-8, 10.0)))
        checks.one_of("optimiser", self.optimiser, OPTIMISERS)
        checks.whole("number of epochs", self.epochs, 1, 1000)
        if self.rows is not None:
            checks.whole("number of training texts", self.rows, 2, 100_000_000)
        checks.whole("number of texts held out", self.held_out, 0, 100_000)
        checks.whole("batch size", self.batch_size, 1, 4096)
        object.__setattr__(self, "weight_decay", float(checks.number("weight decay", self.weight_decay, 0.0, 10.0)))
        checks.one_of("precision", self.precision, PRECISIONS)
        checks.whole("seed", self.seed, 0, checks.MAX_SEED)
        if not isinstance(self.freelb, FreeLB):
            raise SpecError("specs.freelb_wrong", given=self.freelb)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The spec that ``to_json`` wrote. Raises SpecError for anything else."""
        nested = isinstance(value, dict) and "freelb" in value
        return checks.from_json(cls, {**value, "freelb": checks.from_json(FreeLB, value["freelb"])} if nested else value)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)


@dataclass(frozen=True)
class BaselineSpec:
    """One baseline that prunes by magnitude, over the whole encoder at once, and retrains with the mask held.

    Attributes:
        method: ``imp``: iterative magnitude pruning, in which training goes on from where it was; ``lth``: lottery ticket rewinding,
            in which the weights go back to where they started after every round (Frankle and Carbin 2019; Chen et al. 2020).
        sparsity: share of zeros in the end.
        rounds: how many times is pruned; every round zeroes the same share of what is left.
        train: how every round trains, the last with the final mask; with ``train.freelb`` adversarially. Every round draws its own
            ``train.rows``.
    """

    method: str = "imp"
    sparsity: float = 0.5
    rounds: int = 3
    train: TrainSpec = TrainSpec()

    def __post_init__(self) -> None:
        checks.one_of("baseline", self.method, BASELINE_METHODS)
        object.__setattr__(self, "sparsity", float(checks.number("sparsity", self.sparsity, 0.01, 0.99)))
        checks.whole("number of rounds", self.rounds, 1, 50)
        if self.train.rank == 0:
            raise SpecError("specs.baseline_rank")

    @classmethod
    def named(cls, name: str, sparsity: float, plain: TrainSpec, adversarial: TrainSpec) -> Self:
        """The baseline of that name, one of BASELINE_NAMES, trained in one of two ways. Raises SpecError for another name."""
        checks.one_of("baseline", name, BASELINE_NAMES)
        method, _, freelb = name.partition("+")
        return cls(method, sparsity, train=adversarial if freelb else plain)

    @property
    def name(self) -> str:
        """``imp``, or ``imp+freelb``."""
        return f"{self.method}+freelb" if self.train.freelb.steps else self.method

    def sparsity_after(self, rounds: int) -> float:
        """Share of zeros after so many rounds."""
        return 1 - (1 - self.sparsity) ** (rounds / self.rounds)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)
