"""The settings of fine-tuning and of retrained baselines: frozen dataclasses that check themselves, as in :mod:`robustprune.specs.prune`."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from robustprune.base import checks
from robustprune.base.errors import SpecError

OPTIMISERS = ("adamw", "adam", "sgd")
PRECISIONS = ("float32", "bfloat16")
MAX_RANK = 256
# The default learning rates: for an adapter, which has few new weights, and for all weights of a pre-trained encoder.
LEARNING_RATE, FULL_LEARNING_RATE = 1e-3, 3e-5
LENGTHS = {
    "step_size": "size of adversarial steps",
    "start": "start of the adversarial perturbation",
    "max_norm": "largest norm of the adversarial perturbation",
}
BASELINE_METHODS = ("imp", "lth")
BASELINE_NAMES = (*BASELINE_METHODS, *(f"{name}+freelb" for name in BASELINE_METHODS))
# The defaults for baselines: the number of training texts in every round, and the number of FreeLB steps.
BASELINE_ROWS, BASELINE_FREELB = 20_000, 3


@dataclass(frozen=True)
class FreeLB:
    """Adversarial training in the embedding space (Zhu et al. 2020, Alg. 1). Lengths are L2 norms over all token embeddings of one text.

    Attributes:
        steps: the number K of ascent steps per batch. The weight gradients of the steps are averaged. 0: no adversarial training.
        step_size: the length of an ascent step.
        start: an upper bound on the length of the random start, which is drawn uniformly in every coordinate.
        max_norm: the largest length of the perturbation. 0: no limit.
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
    """The settings of one fine-tuning. The learning rate has a linear schedule after a short warm-up.

    Attributes:
        rank: the rank of the LoRA adapter on every linear layer of the encoder. 0: all weights except the embeddings are trained.
        learning_rate: the peak learning rate. None: 1e-3 for an adapter, 3e-5 for all weights.
        optimiser: one of OPTIMISERS. SGD has a momentum of 0.9.
        rows: the number of training texts, chosen by ``seed``. None: all texts.
        held_out: the number of training texts that are kept for the choice between models. They and all texts that overlap them are not
            trained on (see training.split).
        precision: the precision of the forward passes. bfloat16 uses autocast, which is faster on CPUs with AMX and on CUDA.
        freelb: the settings of adversarial training.
        seed: the seed for the choice of rows, the order of texts, dropout, and the random start of perturbations.
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
    """The settings of one baseline. It prunes by magnitude, over the whole encoder at once, and retrains with a fixed mask.

    Attributes:
        method: ``imp`` is iterative magnitude pruning, which continues training from the current weights. ``lth`` is lottery ticket
            rewinding, which resets the weights to their start values after every pruning (Frankle and Carbin 2019; Chen et al. 2020).
        sparsity: the final share of zeros.
        rounds: the number of prunings. Each one zeroes the same share of the remaining weights.
        train: the settings of every training: one before each pruning, and a last one with the final mask. If ``train.freelb`` has steps,
            the training is adversarial. Every training draws its own ``train.rows`` texts.
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
        """The baseline of that name, which must be one of BASELINE_NAMES. Raises SpecError for another name.

        A name that ends in ``+freelb`` trains with ``adversarial``, every other name with ``plain``.
        """
        checks.one_of("baseline", name, BASELINE_NAMES)
        method, _, freelb = name.partition("+")
        return cls(method, sparsity, train=adversarial if freelb else plain)

    @property
    def name(self) -> str:
        """The name of the baseline, such as ``imp`` or ``imp+freelb``; one of BASELINE_NAMES."""
        return f"{self.method}+freelb" if self.train.freelb.steps else self.method

    def sparsity_after(self, rounds: int) -> float:
        """The share of zeros after that number of rounds."""
        return 1 - (1 - self.sparsity) ** (rounds / self.rounds)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)


@dataclass(frozen=True)
class StartFrom:
    """What a training starts from: a trained ``head`` on the backbone, a ``model``, or neither, which leaves the choice to the call.

    Attributes:
        head: the folder of the head.
        model: a built-in name, a folder, or a hub id.
    """

    head: Path | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        if self.head is not None and self.model is not None:
            raise SpecError("specs.head_or_model")
