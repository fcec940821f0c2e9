"""What happened, layer by layer: where the error arose and who corrected it."""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class LayerReport:
    """One linear layer of a run. Errors are relative to the power of its centred dense outputs: 0 is perfect.

    Where the spec lets a block's last layer make up for the residual path, its errors are those of the sum of both, in the same unit.

    Attributes:
        name: ``block.<i>.<name within the block>``.
        shape: (out, in).
        sparsity: exact share of zeros.
        uncorrected: error of the dense weight on the sparse model's inputs: what the layers before left.
        inherited: error of the best weight there is on these inputs: no weight of this layer can go below it.
        own: ``total - inherited``: the price of this layer's zeros, of the ridge, and of a correction forgone.
        total: error of the layer as it was written.
        solver: the solver's own objective, relative to the same power.
        held_out: ``total`` on texts that were kept from calibration.
        ridge: pull towards the dense weight that was used, relative to the mean diagonal of the Hessian.
        damping: what a failed factorisation needed, relative to the mean diagonal; 0 where none failed.
        seconds: time for this layer, its share of the group's moments included.
    """

    name: str
    shape: tuple[int, int]
    sparsity: float
    uncorrected: float
    inherited: float
    own: float
    total: float
    solver: float
    held_out: float
    ridge: float
    damping: float
    seconds: float

    @property
    def block(self) -> int:
        """The number of the encoder block that the layer is in, from 0."""
        return int(self.name.split(".")[1])


@dataclass(frozen=True)
class HeadReport:
    """One linear layer between the last block and the logits, refitted or left as it was.

    Attributes:
        name: its name in the model.
        ridge: the ridge of its refit; None where the dense weight was kept, since no refit was better on held-out texts.
        before, after: relative error with the dense weight, and as it was written, on the texts kept from calibration.
    """

    name: str
    ridge: float | None
    before: float
    after: float


@dataclass(frozen=True)
class PruneReport:
    """All linear layers of a run in order of execution, and what the run was made of.

    Attributes:
        sparsity: exact share of zeros over the pruned linear layers.
        calibration: texts used for the moments; ``held_out`` texts were kept from them, ``tokens`` is without padding.
        head: the layers after the last block, where the spec asks for their refit.
    """

    layers: tuple[LayerReport, ...]
    sparsity: float
    calibration: int
    held_out: int
    tokens: int
    seconds: float
    head: tuple[HeadReport, ...] = ()

    @property
    def weights(self) -> int:
        """Number of weights of the pruned linear layers."""
        return sum(layer.shape[0] * layer.shape[1] for layer in self.layers)

    @property
    def zeros(self) -> int:
        """Number of zeros among them."""
        return sum(round(layer.sparsity * layer.shape[0] * layer.shape[1]) for layer in self.layers)

    @property
    def dense_bytes(self) -> int:
        """What the pruned linear layers take on disk in float32."""
        return 4 * self.weights

    @property
    def half_bytes(self) -> int:
        """What they take in float16, nothing left out."""
        return 2 * self.weights

    @property
    def compressed_bytes(self) -> int:
        """What they take in the compressed format: a bit for every weight, row by row in whole bytes, and float16 for every one that is kept."""
        return sum(layer.shape[0] * -(-layer.shape[1] // 8) for layer in self.layers) + 2 * (self.weights - self.zeros)

    def mean(self, field: str) -> float:
        """The mean over layers of one of their errors."""
        return sum(getattr(layer, field) for layer in self.layers) / len(self.layers)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The report that ``to_json`` wrote. Raises TypeError or KeyError for anything else."""
        layers = tuple(LayerReport(**{**layer, "shape": tuple(layer["shape"])}) for layer in value["layers"])
        head = tuple(HeadReport(**layer) for layer in value["head"])
        return cls(**{**value, "layers": layers, "head": head})
