"""The report of a pruning run, layer by layer: where the error came from and how far each layer corrected it."""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class LayerReport:
    """One linear layer of a run. All errors are relative to the power of the layer's centred dense outputs; 0 is perfect.

    If the spec lets the last layer of a block compensate the error on the residual path, the errors of that layer are errors of the sum
    of its outputs and the residual path, in the same unit.

    Attributes:
        name: ``block.<i>.<name within the block>``.
        shape: (out, in).
        sparsity: exact share of zeros.
        uncorrected: error of the dense weight on the sparse model's inputs: the error that the layers before this one caused.
        inherited: error of the best possible weight on these inputs. No weight of this layer can have a smaller error.
        own: ``total - inherited``: the error that comes from this layer's zeros, from the ridge, and from a correction that was not made.
        total: error of the layer with the weights that were written.
        solver: value of the solver's own objective, relative to the same power.
        held_out: ``total``, measured on the held-out texts.
        ridge: the ridge that was used, which pulls the solution towards the dense weight, relative to the mean diagonal of the Hessian.
        damping: damping that a failed factorisation needed, relative to the mean diagonal; 0 if no factorisation failed.
        seconds: time for this layer, including its share of the time for the group's moments.
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
        """The number of the encoder block that contains the layer, from 0."""
        return int(self.name.split(".")[1])


@dataclass(frozen=True)
class HeadReport:
    """One linear layer between the last block and the logits, either refitted or unchanged.

    Attributes:
        name: name of the layer in the model.
        ridge: ridge of the refit; None if the dense weight was kept, because no refit had a smaller error on the held-out texts.
        before, after: relative error with the dense weight, and with the weight that was written, both on the held-out texts.
    """

    name: str
    ridge: float | None
    before: float
    after: float


@dataclass(frozen=True)
class PruneReport:
    """The reports of all linear layers of a run, in order of execution, and the size of its calibration set.

    Attributes:
        sparsity: exact share of zeros over all pruned linear layers.
        calibration: number of texts that the moments were computed on.
        held_out: number of texts that were held out from calibration.
        tokens: number of tokens of the calibration texts, without padding.
        head: reports of the layers after the last block; empty unless the spec asks for their refit.
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
        """Number of zeros among the weights of the pruned linear layers."""
        return sum(round(layer.sparsity * layer.shape[0] * layer.shape[1]) for layer in self.layers)

    @property
    def dense_bytes(self) -> int:
        """Size on disk of the pruned linear layers in float32, in bytes."""
        return 4 * self.weights

    @property
    def half_bytes(self) -> int:
        """Size on disk of these layers in float16, with all zeros stored, in bytes."""
        return 2 * self.weights

    @property
    def compressed_bytes(self) -> int:
        """Size of these layers in the compressed format, in bytes.

        The format stores one bit for every weight, each row rounded up to whole bytes, and a float16 for every kept weight.
        """
        return sum(layer.shape[0] * -(-layer.shape[1] // 8) for layer in self.layers) + 2 * (self.weights - self.zeros)

    def mean(self, field: str) -> float:
        """Returns the mean of one error field over all layers."""
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
