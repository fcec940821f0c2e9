"""Pruned layers that compute with PyTorch's compressed sparse row (CSR) format, to measure whether kernels that skip zeros save time."""

import copy
import warnings

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from robustprune.models.architectures import encoder_blocks


class SparseLinear(nn.Module):
    """A linear layer whose weight is in compressed sparse row format, so zeros are neither read nor multiplied."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state", UserWarning)
            self.register_buffer("weight", linear.weight.detach().to_sparse_csr())
        self.bias = linear.bias

    def forward(self, inputs: Float[Tensor, "*positions in"]) -> Float[Tensor, "*positions out"]:
        """Returns the output of the dense layer, up to rounding."""
        rows = inputs.flatten(0, -2)
        return torch.addmm(self.bias[:, None], self.weight, rows.T).T.unflatten(0, inputs.shape[:-1])


def with_sparse_kernels(model: PreTrainedModel) -> PreTrainedModel:
    """Returns a copy of the model whose pruned linear layers are ``SparseLinear``.

    Use the copy for measurements only: PyTorch can neither copy nor save it.
    """
    result = copy.deepcopy(model)
    for block in encoder_blocks(result):
        for name in (name for group in block.groups for name in group):
            block.module.set_submodule(name, SparseLinear(block.linear(name)))
    return result
