"""Masks of the kept weights of a pruned model, packed to one bit per weight."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor
from transformers import PreTrainedModel

from robustprune.models.architectures import linear_layers


def packed(mask: Bool[Tensor, "out in"]) -> UInt8[np.ndarray, "out bytes"]:
    """Packs a mask along the inputs, eight entries per byte. The first entry is in the highest bit."""
    return np.packbits(mask.cpu().numpy(), axis=1)


def apply_mask(model: PreTrainedModel, path: Path) -> None:
    """Sets to zero, in place, every weight that the masks in a file mark as not kept."""
    from safetensors.numpy import load_file

    masks = load_file(path)
    with torch.no_grad():
        for name, layer in linear_layers(model):
            kept = np.unpackbits(masks[name], axis=1, count=layer.in_features)
            layer.weight.mul_(torch.from_numpy(kept).to(layer.weight))
