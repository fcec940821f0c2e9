"""Baselines that alternate between magnitude pruning and training: iterative magnitude pruning, and lottery tickets with rewinding.

Lottery tickets set the weights back to their start after every round (Frankle and Carbin 2019; Chen et al. 2020 for BERT). Each baseline
trains plainly or with FreeLB.

The training changes a low-rank adapter on every linear layer of the encoder, and the head. The pruning applies to the sum of weight and
adapter. So the mask and the adapter describe the encoder completely, during training and afterwards: weight = (start + adapter) ∘ mask.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from robustprune.base.checks import MAX_SEED
from robustprune.base.progress import Progress
from robustprune.models.architectures import head_layers, linear_layers
from robustprune.pruning.patterns import drop_smallest
from robustprune.specs.train import BaselineSpec
from robustprune.texts.datasets import Texts
from robustprune.training import loop
from robustprune.training.checkpoint import Checkpoint
from robustprune.training.draws import seeded
from robustprune.training.finetune import LORA_SCALE


class MaskedAdapter(nn.Module):
    """Computes the masked weight of a layer from the weight that it started from: (weight + scale · B A) ∘ mask."""

    def __init__(self, weight: Float[Tensor, "out in"], rank: int) -> None:
        super().__init__()
        outputs, inputs = weight.shape
        self.a = nn.Parameter(weight.new_empty(rank, inputs))
        self.b = nn.Parameter(weight.new_zeros(outputs, rank))
        nn.init.kaiming_uniform_(self.a, a=5**0.5)  # the initial values of LoRA (Hu et al. 2021): B is zero, so B A is zero
        self.register_buffer("mask", torch.ones_like(weight))

    def forward(self, weight: Float[Tensor, "out in"]) -> Float[Tensor, "out in"]:
        """Returns the weight that the layer computes with. It is float32, even if the forward passes have a lower precision."""
        with torch.autocast(weight.device.type, enabled=False):
            return (weight + LORA_SCALE * (self.b @ self.a)) * self.mask


def train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Callable[[int], Texts],
    spec: BaselineSpec,
    checkpoint_of: Callable[[int, Texts], Checkpoint],
    progress_of: Callable[[int], Progress],
) -> dict[str, MaskedAdapter]:
    """Trains and prunes ``model`` alternately, and trains once more with the final mask. Returns the adapters by ``block.<i>.<name>``.

    Afterwards, the model computes with the masked weights. :func:`merge_masks` stores them in the model itself.

    Args:
        texts: gives the training texts of each round. Rounds are numbered from 0.
        checkpoint_of: gives the checkpoint of each round, from the round's number and texts.
        progress_of: gives the progress that gets the steps of each round.

    Raises:
        Cancelled, ModelError: as in :func:`loop.fit`.
    """
    with seeded(spec.train.seed, model.device):  # the new adapters get random initial values
        adapters = _with_masks(model, spec.train.rank)
    start = {name: weight.detach().clone() for name, weight in model.named_parameters() if weight.requires_grad}
    for number in range(spec.rounds + 1):
        part = texts(number)
        loop.fit(model, model, tokenizer, part, replace(spec.train, seed=seed_of(spec, number)), checkpoint_of(number, part), progress_of(number))
        if number == spec.rounds:
            break
        _prune(model, spec.sparsity_after(number + 1))
        if spec.method == "lth":
            with torch.no_grad():
                for name, weight in start.items():
                    model.get_parameter(name).copy_(weight)
    return adapters


def seed_of(spec: BaselineSpec, number: int) -> int:
    """Returns the seed of the round with that number."""
    return (spec.train.seed + number) % (MAX_SEED + 1)


def merge_masks(model: PreTrainedModel) -> None:
    """Replaces the weights of the model by the masked weights, in place, and removes adapters and masks."""
    for _, layer in linear_layers(model):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


def _with_masks(model: PreTrainedModel, rank: int) -> dict[str, MaskedAdapter]:
    """Puts an adapter with a mask on every linear layer of the encoder. Only the adapters and the head are trained."""
    model.requires_grad_(False)
    adapters = {}
    for name, layer in linear_layers(model):
        adapters[name] = MaskedAdapter(layer.weight, rank)
        parametrize.register_parametrization(layer, "weight", adapters[name])
    for _, layer in head_layers(model):
        layer.requires_grad_(True)
    return adapters


@torch.no_grad()
def _prune(model: PreTrainedModel, sparsity: float) -> None:
    """Sets the masks so that exactly the share ``sparsity`` of all encoder weights is zero: the smallest weights of the whole encoder.

    Weights that are already zero count too.
    """
    layers = [layer for _, layer in linear_layers(model)]
    magnitudes = torch.cat([layer.weight.abs().flatten() for layer in layers])
    kept = drop_smallest(magnitudes.unsqueeze(0), round(sparsity * len(magnitudes)), per_row=False).squeeze(0)
    for layer, part in zip(layers, kept.split([layer.weight.numel() for layer in layers]), strict=True):
        layer.parametrizations.weight[0].mask.copy_(part.view_as(layer.weight))
