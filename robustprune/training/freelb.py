"""FreeLB: adversarial training whose ascent steps all feed the descent (Zhu et al. 2020, "FreeLB", Alg. 1).

The perturbation lives on the word embeddings. Every ascent step gives the gradients of the weights for free, and their mean is what
the optimiser follows: training on K perturbed copies of a batch at the cost of K passes.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import BatchEncoding, PreTrainedModel

from robustprune.specs.train import FreeLB

Loss = Callable[[BatchEncoding], Float[Tensor, ""]]
TINY = 1e-12


def backward(base: PreTrainedModel, batch: BatchEncoding, loss_of: Loss, settings: FreeLB) -> float:
    """Adds to the weights' gradients those of the mean loss over the ascent steps; gives that loss.

    Args:
        base: the model itself, whose word embeddings are perturbed.
        batch: what the model takes, with ``input_ids`` and ``attention_mask``.
        loss_of: the loss of a batch that has ``inputs_embeds`` instead of ``input_ids``.
    """
    with torch.no_grad():
        embeddings = base.get_input_embeddings()(batch["input_ids"])
    rest = {name: value for name, value in batch.items() if name != "input_ids"}
    real = batch["attention_mask"].unsqueeze(-1).to(embeddings.dtype)
    perturbation = _into_ball(_start(real, embeddings, settings.start), settings.max_norm)
    total = 0.0
    for step in range(settings.steps):
        perturbation.requires_grad_()
        loss = loss_of(BatchEncoding({**rest, "inputs_embeds": embeddings + perturbation})) / settings.steps
        loss.backward()
        total += loss.item()
        if step + 1 < settings.steps:
            perturbation = _ascended(perturbation.detach(), perturbation.grad, settings)
    return total


def _start(real: Int[Tensor, "texts tokens 1"], embeddings: Float[Tensor, "texts tokens hidden"], bound: float) -> Float[Tensor, "texts tokens hidden"]:
    """Uniform noise on real tokens, scaled by the square root of the number of coordinates, so that long texts get no more of it."""
    noise = torch.empty_like(embeddings).uniform_(-1, 1) * real
    coordinates = real.sum(dim=(1, 2), keepdim=True) * embeddings.shape[-1]
    return noise * bound / coordinates.sqrt()


def _ascended(
    perturbation: Float[Tensor, "texts tokens hidden"], gradient: Float[Tensor, "texts tokens hidden"], settings: FreeLB
) -> Float[Tensor, "texts tokens hidden"]:
    """One step uphill, of the same length for every text, back into the ball where there is one."""
    moved = perturbation + settings.step_size * gradient / _norms(gradient).clamp_min(TINY)
    return _into_ball(moved, settings.max_norm)


def _into_ball(perturbation: Float[Tensor, "texts tokens hidden"], radius: float) -> Float[Tensor, "texts tokens hidden"]:
    """Shortened where it is longer than ``radius``; as it is where there is no ball."""
    return perturbation * (radius / _norms(perturbation).clamp_min(TINY)).clamp_max(1.0) if radius else perturbation


def _norms(values: Float[Tensor, "texts tokens hidden"]) -> Float[Tensor, "texts 1 1"]:
    return values.float().flatten(1).norm(dim=1).view(-1, 1, 1)
