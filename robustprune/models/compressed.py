"""The compressed format for pruned classifiers: one bit for every weight of a pruned layer, and 16 more bits for every kept weight.

The file ``compressed.safetensors`` holds two tensors for every linear layer that is pruned: ``<parameter>.mask`` (uint8, bits packed along
the inputs) and ``<parameter>.values`` (the kept weights in row-major order). Every other tensor of the state dict is stored under its own
name. Numbers are float16. A tensor with a number that is too large for float16 is float32 instead.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel, PreTrainedTokenizerBase

from robustprune.base.errors import Explained, ModelError
from robustprune.models.architectures import linear_layers
from robustprune.models.masks import packed
from robustprune.models.sources import COMPRESSED as FILE
from robustprune.models.sources import check_architecture

FORMAT = "robustprune-compressed"
VERSION = "1"
STORED = (torch.float16, torch.float32)


@dataclass(frozen=True)
class Sizes:
    """The size of a model in bytes.

    Attributes:
        dense_bytes: the size of the whole state dict in float32.
        half_bytes: the size of the whole state dict in float16, including all zeros.
        compressed_bytes: the size of the file ``compressed.safetensors`` on disk.
        pruned_dense_bytes: the size of the weights of the pruned layers alone, in float32.
        pruned_compressed_bytes: the size of the masks and values of the pruned layers.
    """

    dense_bytes: int
    half_bytes: int
    compressed_bytes: int
    pruned_dense_bytes: int
    pruned_compressed_bytes: int

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)


class _Damaged(Explained):
    """The file is damaged. The message says what is wrong."""


def write(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Sizes:
    """Writes configuration, tokenizer and ``compressed.safetensors`` into ``folder``, which must exist. Returns the sizes.

    Raises ModelError if a weight is NaN or infinite.
    """
    tensors, pruned = _tensors(model), _pruned(model)
    stored, in_pruned = {}, 0
    for name, tensor in tensors.items():
        values = _narrowed(name, tensor)
        if name in pruned:
            # Computed from the narrowed weights, so a weight that float16 rounds to zero is not kept.
            kept = values != 0
            parts = {f"{name}.mask": torch.from_numpy(packed(kept)), f"{name}.values": values[kept]}
            in_pruned += sum(part.nbytes for part in parts.values())
            stored |= parts
        else:
            stored[name] = values.contiguous()
    model.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    save_file(stored, folder / FILE, metadata={"format": FORMAT, "version": VERSION})
    return Sizes(
        dense_bytes=sum(_bytes(tensor, 4) for tensor in tensors.values()),
        half_bytes=sum(_bytes(tensor, 2) for tensor in tensors.values()),
        compressed_bytes=(folder / FILE).stat().st_size,
        pruned_dense_bytes=sum(_bytes(tensors[name], 4) for name in pruned),
        pruned_compressed_bytes=in_pruned,
    )


def load(folder: Path) -> PreTrainedModel:
    """Loads a classifier that ``write`` wrote, for inference: in evaluation mode, in float32, able to return attentions.

    Raises:
        ModelError: the configuration or the weights are missing or damaged, or do not fit each other.
    """
    model = _from_config(folder)
    if not (folder / FILE).is_file():
        raise ModelError("models.no_compressed_file", file=FILE, folder=folder)
    try:
        _fill(model, _read(folder / FILE))
    except (OSError, SafetensorError, _Damaged) as error:
        raise ModelError("models.compressed_cannot_be_read", path=folder / FILE, why=error) from error
    return model.eval().requires_grad_(False)


def _tensors(model: PreTrainedModel) -> dict[str, Tensor]:
    """The tensors of the state dict by name, not copied. A tensor with several names (tied weights) has only the first of them."""
    first: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        first.setdefault(id(tensor), (name, tensor))
    return dict(first.values())


def _pruned(model: PreTrainedModel) -> set[str]:
    """The names, in the state dict, of the weights that are pruned."""
    weights = {id(layer.weight) for _, layer in linear_layers(model)}
    return {name for name, tensor in _tensors(model).items() if id(tensor) in weights}


def _narrowed(name: str, tensor: Shaped[Tensor, "*shape"]) -> Shaped[Tensor, "*shape"]:
    """The tensor in its stored form, on the CPU: float16 if every number fits, else float32. Other dtypes than floats do not change.

    Raises ModelError if a number is NaN or infinite.
    """
    tensor = tensor.detach().cpu()
    if not tensor.is_floating_point():
        return tensor
    if not tensor.isfinite().all():
        raise ModelError("models.weights_not_finite", name=name)
    fits = (tensor.abs() <= torch.finfo(torch.float16).max).all()
    return tensor.half() if fits else tensor.float()


def _bytes(tensor: Tensor, width: int) -> int:
    """The size of a tensor in bytes if each of its floats takes ``width`` bytes."""
    return tensor.numel() * width if tensor.is_floating_point() else tensor.nbytes


def _from_config(folder: Path) -> PreTrainedModel:
    """Builds the model of the folder's configuration, in float32. Its weights must still be filled in."""
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        check_architecture(config.model_type, str(folder))
        model = AutoModelForSequenceClassification.from_config(config, trust_remote_code=False, attn_implementation="eager")
    except ModelError:
        raise
    except Exception as error:  # transformers passes on the errors of all its readers
        raise ModelError("models.no_model_from_config", folder=folder, why=error) from error
    return model.float()


def _read(path: Path) -> dict[str, Tensor]:
    """All tensors in the file. Raises _Damaged unless the file has this format and version."""
    with safe_open(path, framework="pt") as file:
        about = file.metadata() or {}
        if about.get("format") != FORMAT:
            raise _Damaged("models.compressed_format", format=FORMAT, found=about.get("format"))
        if about.get("version") != VERSION:
            raise _Damaged("models.compressed_version", found=about.get("version"), version=VERSION)
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, a safe_open object has keys() but cannot be iterated


def _fill(model: PreTrainedModel, stored: dict[str, Tensor]) -> None:
    """Writes the stored tensors into the model. Raises _Damaged if they do not fit the model."""
    pruned, targets = _pruned(model), _tensors(model)
    parts = {name: (f"{name}.mask", f"{name}.values") if name in pruned else (name,) for name in targets}
    names = {part for several in parts.values() for part in several}
    if missing := sorted(names - set(stored)):
        raise _Damaged("models.compressed_lacks", names=missing[:3])
    if superfluous := sorted(set(stored) - names):
        raise _Damaged("models.compressed_holds_more", names=superfluous[:3])
    with torch.no_grad():
        for name, target in targets.items():
            types = STORED if target.is_floating_point() else (target.dtype,)
            target.copy_(_unpacked(name, target, stored) if name in pruned else _checked(name, stored[name], target.shape, types))


def _unpacked(name: str, target: Float[Tensor, "out in"], stored: dict[str, Tensor]) -> Float[Tensor, "out in"]:
    """Builds a weight from its mask and its kept values, on the CPU. Raises _Damaged if they do not fit."""
    outputs, inputs = target.shape
    mask = _checked(f"{name}.mask", stored[f"{name}.mask"], (outputs, -(-inputs // 8)), (torch.uint8,))
    bits = np.unpackbits(mask.numpy(), axis=1)
    if bits[:, inputs:].any():
        raise _Damaged("models.mask_too_wide", name=name)
    kept = torch.from_numpy(bits[:, :inputs].astype(bool))
    values = _checked(f"{name}.values", stored[f"{name}.values"], (int(kept.sum()),), STORED)
    if not values.all():
        raise _Damaged("models.values_with_zeros", name=name)
    weight = torch.zeros(target.shape)
    weight[kept] = values.float()
    return weight


def _checked(name: str, value: Tensor, shape: Sequence[int], types: Sequence[torch.dtype]) -> Tensor:
    """Returns the stored tensor. Raises _Damaged unless it has this shape, one of these dtypes, and finite numbers only."""
    if tuple(value.shape) != tuple(shape):
        raise _Damaged("models.tensor_shape", name=name, found=tuple(value.shape), expected=tuple(shape))
    if value.dtype not in types:
        raise _Damaged("models.tensor_type", name=name, found=value.dtype, allowed=", ".join(map(str, types)))
    if not value.isfinite().all():
        raise _Damaged("models.tensor_not_finite", name=name)
    return value
