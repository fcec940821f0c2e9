"""A pruned classifier as a folder whose weights take less room: a bit for every weight of a pruned layer, 16 more for every one kept.

``compressed.safetensors`` holds, for every linear layer that pruning touches, ``<parameter>.mask`` (uint8, bits packed along the inputs)
and ``<parameter>.values`` (the kept weights in row-major order); every other tensor of the state dict stands under its own name.
Numbers are float16, or float32 in a tensor that float16 would turn into infinity.
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
    """What a model takes, in bytes.

    Attributes:
        dense_bytes: the whole state dict in float32.
        half_bytes: the whole state dict in float16, nothing left out.
        compressed_bytes: the file ``compressed.safetensors`` on disk.
        pruned_dense_bytes: the weights of the pruned layers alone, in float32.
        pruned_compressed_bytes: their masks and values.
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
    """What is wrong with the file."""


def write(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Sizes:
    """Writes configuration, tokenizer and ``compressed.safetensors`` into ``folder``, which exists. Raises ModelError for NaN and infinite weights."""
    tensors, pruned = _tensors(model), _pruned(model)
    stored, in_pruned = {}, 0
    for name, tensor in tensors.items():
        values = _narrowed(name, tensor)
        if name in pruned:
            # Told from the narrowed weights: what float16 rounds to zero is not kept.
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
    """The classifier that ``write`` wrote, for reading: evaluation mode, float32, attention that can be returned.

    Raises:
        ModelError: configuration or weights are missing, damaged, or do not fit each other.
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
    """The tensors of the state dict themselves, not copies; what is tied stands under the first of its names."""
    first: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        first.setdefault(id(tensor), (name, tensor))
    return dict(first.values())


def _pruned(model: PreTrainedModel) -> set[str]:
    """The names, in the state dict, of the weights that pruning touches."""
    weights = {id(layer.weight) for _, layer in linear_layers(model)}
    return {name for name, tensor in _tensors(model).items() if id(tensor) in weights}


def _narrowed(name: str, tensor: Shaped[Tensor, "*shape"]) -> Shaped[Tensor, "*shape"]:
    """The tensor as it is stored, on the CPU: float16 where every number fits, else float32; what is no float stays as it is."""
    tensor = tensor.detach().cpu()
    if not tensor.is_floating_point():
        return tensor
    if not tensor.isfinite().all():
        raise ModelError("models.weights_not_finite", name=name)
    fits = (tensor.abs() <= torch.finfo(torch.float16).max).all()
    return tensor.half() if fits else tensor.float()


def _bytes(tensor: Tensor, width: int) -> int:
    """Bytes of a tensor whose floats take ``width`` bytes each."""
    return tensor.numel() * width if tensor.is_floating_point() else tensor.nbytes


def _from_config(folder: Path) -> PreTrainedModel:
    """The model of the folder's configuration, in float32, with weights that are still to be filled in."""
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        check_architecture(config.model_type, str(folder))
        model = AutoModelForSequenceClassification.from_config(config, trust_remote_code=False, attn_implementation="eager")
    except ModelError:
        raise
    except Exception as error:  # transformers raises whatever its readers raise
        raise ModelError("models.no_model_from_config", folder=folder, why=error) from error
    return model.float()


def _read(path: Path) -> dict[str, Tensor]:
    """All tensors of the file, if it is of this format and version."""
    with safe_open(path, framework="pt") as file:
        about = file.metadata() or {}
        if about.get("format") != FORMAT:
            raise _Damaged("models.compressed_format", format=FORMAT, found=about.get("format"))
        if about.get("version") != VERSION:
            raise _Damaged("models.compressed_version", found=about.get("version"), version=VERSION)
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, a safe_open is no dictionary


def _fill(model: PreTrainedModel, stored: dict[str, Tensor]) -> None:
    """Writes the stored tensors into the model. Raises _Damaged for whatever does not fit it."""
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
    """The weight that a mask and the kept values make, on the CPU."""
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
    """The stored tensor, if it has this shape, one of these types, and finite numbers."""
    if tuple(value.shape) != tuple(shape):
        raise _Damaged("models.tensor_shape", name=name, found=tuple(value.shape), expected=tuple(shape))
    if value.dtype not in types:
        raise _Damaged("models.tensor_type", name=name, found=value.dtype, allowed=", ".join(map(str, types)))
    if not value.isfinite().all():
        raise _Damaged("models.tensor_not_finite", name=name)
    return value
