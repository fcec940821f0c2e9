"""FreeLB: adversarial training in which every ascent step contributes to the descent step (Zhu et al. 2020, "FreeLB", Alg. 1).

The perturbation is added to the word embeddings. Every ascent step also computes the gradients of the weights, at no extra cost. The
optimiser follows the mean of these gradients. So training on K perturbed copies of a batch costs K forward and backward passes.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import BatchEncoding, PreTrainedModel

from robustprune.specs.train import FreeLB

Loss = Callable[[BatchEncoding], Float[Tensor, ""]]
TINY = 1e-12


def backward(base: PreTrainedModel, batch: BatchEncoding, loss_of: Loss, settings: FreeLB) -> float:
    """Adds the gradients of the mean loss over the ascent steps to the gradients of the weights. Returns that loss.

    Args:
        base: the model whose word embeddings are perturbed.
        batch: the inputs of the model, including ``input_ids`` and ``attention_mask``.
        loss_of: computes the loss of a batch that has ``inputs_embeds`` instead of ``input_ids``.
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


def _start(real: Float[Tensor, "texts tokens 1"], embeddings: Float[Tensor, "texts tokens hidden"], bound: float) -> Float[Tensor, "texts tokens hidden"]:
    """Returns uniform noise on the real tokens.

    The noise is divided by the square root of the number of coordinates, so that its norm does not grow with the length of the text.
    """
    noise = torch.empty_like(embeddings).uniform_(-1, 1) * real
    coordinates = real.sum(dim=(1, 2), keepdim=True) * embeddings.shape[-1]
    return noise * bound / coordinates.sqrt()


def _ascended(
    perturbation: Float[Tensor, "texts tokens hidden"], gradient: Float[Tensor, "texts tokens hidden"], settings: FreeLB
) -> Float[Tensor, "texts tokens hidden"]:
    """Returns the perturbation after one ascent step, which has the same length for every text, moved back into the ball if there is one."""
    moved = perturbation + settings.step_size * gradient / _norms(gradient).clamp_min(TINY)
    return _into_ball(moved, settings.max_norm)


def _into_ball(perturbation: Float[Tensor, "texts tokens hidden"], radius: float) -> Float[Tensor, "texts tokens hidden"]:
    """Returns the perturbation, shortened to ``radius`` for every text where it is longer. A radius of 0 means no ball and no change."""
    return perturbation * (radius / _norms(perturbation).clamp_min(TINY)).clamp_max(1.0) if radius else perturbation


def _norms(values: Float[Tensor, "texts tokens hidden"]) -> Float[Tensor, "texts 1 1"]:
    return values.float().flatten(1).norm(dim=1).view(-1, 1, 1)
