"""Averages the weights of several models that were trained from the same start (Li et al. 2023, Alg. 3; Wortsman et al. 2022)."""

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

from robustprune.base.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def average(models: "Sequence[tuple[PreTrainedModel, float]]") -> "PreTrainedModel":
    """Returns a new model whose weights are the sum of the models' weights, each multiplied by the model's share.

    The sum is computed in float64. Tensors of integers come from the first model.
    """
    import torch

    result = copy.deepcopy(models[0][0])
    states = [(model.state_dict(), share) for model, share in models]
    with torch.no_grad():
        for name, weight in result.state_dict().items():
            if weight.is_floating_point():
                weight.copy_(sum(state[name].double() * share for state, share in states))
    return result


def check_alike(models: "Sequence[PreTrainedModel]", names: Sequence[str]) -> None:
    """Raises ModelError, which names the two models that differ, unless all models have weights with the same names and shapes."""
    shapes = [{name: weight.shape for name, weight in model.state_dict().items()} for model in models]
    for other, name in zip(shapes[1:], names[1:], strict=True):
        if other != shapes[0]:
            raise ModelError("models.not_of_one_architecture", first=names[0], second=name)
