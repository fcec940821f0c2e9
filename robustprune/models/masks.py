"""Which weights of a pruned model are kept, packed to bits."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor
from transformers import PreTrainedModel

from robustprune.models.architectures import linear_layers


def packed(mask: Bool[Tensor, "out in"]) -> UInt8[np.ndarray, "out bytes"]:
    """Eight mask entries a byte, first entry in the highest bit."""
    return np.packbits(mask.cpu().numpy(), axis=1)


def apply_mask(model: PreTrainedModel, path: Path) -> None:
    """Sets to zero, in place, every weight that a file of masks does not keep."""
    from safetensors.numpy import load_file

    masks = load_file(path)
    with torch.no_grad():
        for name, layer in linear_layers(model):
            kept = np.unpackbits(masks[name], axis=1, count=layer.in_features)
            layer.weight.mul_(torch.from_numpy(kept).to(layer.weight))
