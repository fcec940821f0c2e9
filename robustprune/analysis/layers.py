"""Details of every linear layer of a run: the zeros of the weight matrix, the error of every output, and the histogram of the weights."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from jaxtyping import Float, Int

from robustprune.base import hashing

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from robustprune.models.architectures import Block

FILE = "layers.safetensors"
# The picture of a mask has at most this many cells per side. A cell shows the share of its weights that are kept.
CELLS = 64
BINS = 60
# Smaller than in other modules, because the inputs and outputs of all layers are in memory for a whole batch.
TOKENS_PER_BATCH = 512


@dataclass(frozen=True)
class LayerView:
    """One linear layer of a sparse model, compared with the same layer of the dense model.

    There is one error per output. It is relative to the mean power of the layer's centred dense outputs, so the mean of these errors is
    the error of the layer on these texts. If the last layer of a block compensates the error on the residual path, its errors are errors
    of the sum of its outputs and the residual path.

    Attributes:
        kept: the share of kept weights in every cell of the matrix; outputs go downwards, inputs go to the right.
        total: error of every output with the weights that were written.
        uncorrected: error of every output with the dense weight on the sparse model's inputs: the error that the layers before caused.
        edges: edges of the histogram bins.
        dense, sparse: number of weights in every bin. The sparse histogram counts only the weights that are kept.
    """

    kept: Float[np.ndarray, "rows columns"]
    total: Float[np.ndarray, " out"]
    uncorrected: Float[np.ndarray, " out"]
    edges: Float[np.ndarray, " bins_and_one"]
    dense: Int[np.ndarray, " bins"]
    sparse: Int[np.ndarray, " bins"]


@dataclass(frozen=True)
class LayerViews:
    """All linear layers of a run, by ``block.<i>.<name>``, and the number of texts that the errors were measured on."""

    layers: dict[str, LayerView]
    texts: int

    def to_entry(self) -> tuple[dict[str, Any], bytes]:
        """Returns the store entry of the views: a document, and the content of ``FILE`` (shares as float16, errors as float32)."""
        from safetensors.numpy import save

        arrays = {f"{name}:{field.name}": _small(getattr(view, field.name)) for name, view in self.layers.items() for field in fields(view)}
        content = save(arrays)
        return {"layers": list(self.layers), "texts": self.texts, "sha256": hashing.of_bytes(content)}, content

    @classmethod
    def from_entry(cls, document: dict[str, Any], folder: Path) -> Self | None:
        """Returns the views of a store entry, or None if the file is missing or damaged."""
        from safetensors.numpy import load_file

        path = folder / FILE
        if not path.is_file() or hashing.of_file(path) != document["sha256"]:
            return None
        arrays = load_file(path)
        layers = {name: LayerView(**{field.name: arrays[f"{name}:{field.name}"] for field in fields(LayerView)}) for name in document["layers"]}
        return cls(layers, document["texts"])


def views(
    dense: "PreTrainedModel",
    sparse: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    texts: Sequence[str],
    residual: bool,
    tick: Callable[[int, int], None] = lambda done, total: None,
) -> LayerViews:
    """Compares every linear layer of a dense and a sparse model with the same architecture.

    Args:
        residual: whether the last layer of every block was fitted to compensate the residual path too (``PruneSpec.residual`` with ``full``).
        tick: called with the number of finished texts and the number of all texts; may raise to stop.
    """
    import torch

    from robustprune.models import inference
    from robustprune.models.architectures import linear_layers

    errors: dict[str, _Errors] = {}
    done = 0
    with torch.inference_mode(), _Recorder(dense, residual) as before, _Recorder(sparse, residual) as after:
        weights = dict(linear_layers(dense))
        for rows, batch in inference.encoded_batches(dense, tokenizer, texts, TOKENS_PER_BATCH):
            tick(done, len(texts))
            real = batch["attention_mask"].flatten().nonzero().flatten()
            dense(**batch)
            sparse(**batch)
            for (name, wanted), (_, given) in zip(before.recorded(real), after.recorded(real), strict=True):
                errors.setdefault(name, _Errors()).add(wanted, given, weights[name])
            done += len(rows)
    pruned = dict(linear_layers(sparse))
    return LayerViews({name: _view(weights[name].weight, pruned[name].weight, errors[name]) for name in weights}, len(texts))


@dataclass(frozen=True)
class _Activations:
    """Inputs and outputs of a layer for the real tokens of a batch, and the states that the block adds to the outputs (0 if not needed)."""

    inputs: "Tensor"
    outputs: "Tensor"
    beside: "Tensor | float"


class _Recorder:
    """Records the inputs and outputs of every linear layer in the blocks of a model, for one forward pass at a time."""

    def __init__(self, model: "PreTrainedModel", residual: bool) -> None:
        self._model, self._residual = model, residual
        self._caught: dict[str, tuple[Tensor, Tensor]] = {}

    def __enter__(self) -> Self:
        from robustprune.models.architectures import linear_layers

        def catch(name: str) -> Callable[..., None]:
            def hook(_module: "nn.Module", arguments: tuple, output: "Tensor") -> None:
                self._caught[name] = arguments[0], output

            return hook

        self._hooks = [layer.register_forward_hook(catch(name)) for name, layer in linear_layers(self._model)]
        return self

    def __exit__(self, *_exception: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def recorded(self, real: "Tensor") -> Iterator[tuple[str, _Activations]]:
        """Yields the name of every layer and what it computed in the last forward pass, in order of execution."""
        from robustprune.models.architectures import encoder_blocks

        for block in encoder_blocks(self._model):
            for group in block.groups:
                beside = self._rows(block, block.groups[-2][0], real)[0] if self._residual and group == block.groups[-1] else 0.0
                for name in group:
                    inputs, outputs = self._rows(block, name, real)
                    yield f"block.{block.index}.{name}", _Activations(inputs, outputs, beside)

    def _rows(self, block: "Block", name: str, real: "Tensor") -> "tuple[Tensor, Tensor]":
        return tuple(part.flatten(0, 1)[real].double() for part in self._caught[f"block.{block.index}.{name}"])


class _Errors:
    """The sums over tokens that are needed for the errors of one layer."""

    def __init__(self) -> None:
        self._tokens = 0
        self._total = self._uncorrected = self._sum = self._squares = 0.0

    def add(self, wanted: _Activations, given: _Activations, dense: "nn.Linear") -> None:
        """Adds a batch: the record of the layer in the dense model, its record in the sparse model, and the dense layer itself."""
        beside = given.beside - wanted.beside
        moved = given.inputs @ dense.weight.double().T + dense.bias.double()
        self._total = self._total + (given.outputs - wanted.outputs + beside).square().sum(0)
        self._uncorrected = self._uncorrected + (moved - wanted.outputs + beside).square().sum(0)
        self._sum = self._sum + wanted.outputs.sum(0)
        self._squares = self._squares + wanted.outputs.square().sum(0)
        self._tokens += len(wanted.outputs)

    def relative(self) -> "tuple[Tensor, Tensor]":
        """Returns the total and the uncorrected error of every output, relative to the mean power of the centred dense outputs."""
        unit = (self._squares - self._sum.square() / self._tokens).mean()
        return self._total / unit, self._uncorrected / unit


def _view(dense: "Tensor", sparse: "Tensor", errors: _Errors) -> LayerView:
    total, uncorrected = (part.cpu().numpy() for part in errors.relative())
    before, after = dense.detach().cpu().numpy(), sparse.detach().cpu().numpy()
    # A few very large weights would squeeze all other weights into a few bins. So the outermost bins also count all weights beyond them.
    bound = float(np.quantile(np.abs(before), 0.999)) or 1.0
    edges = np.linspace(-bound, bound, BINS + 1)
    counts = [np.histogram(np.clip(weights, -bound, bound), edges)[0] for weights in (before, after[after != 0])]
    return LayerView(kept_shares(after != 0), total, uncorrected, edges, *counts)


def kept_shares(mask: np.ndarray, cells: int = CELLS) -> Float[np.ndarray, "rows columns"]:
    """Returns the share of True entries in every cell of a mask. There are at most ``cells`` cells per side, of nearly equal size."""
    rows, columns = (np.linspace(0, size, min(size, cells) + 1).round().astype(int) for size in mask.shape)
    sums = np.add.reduceat(np.add.reduceat(mask.astype(np.int64), rows[:-1], axis=0), columns[:-1], axis=1)
    return sums / np.outer(np.diff(rows), np.diff(columns))


def _small(values: np.ndarray) -> np.ndarray:
    return values.astype("int32") if np.issubdtype(values.dtype, np.integer) else values.astype("float16" if values.ndim == 2 else "float32")
