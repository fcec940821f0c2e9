"""Checks for NaN and Inf, and errors that name the layer in which the computation failed."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from robustprune.base.errors import ModelError
from robustprune.base.messages import say


@contextmanager
def naming(layer: str) -> Iterator[None]:
    """Turns a ValueError that is raised inside the block into a ModelError that names the layer where the computation stopped."""
    try:
        yield
    except ValueError as error:
        raise ModelError("pruning.stopped_at", layer=layer, why=error.args[0] if error.args else error) from error


def check_finite(what: str, values: Tensor) -> None:
    """Raises ValueError if ``values`` hold NaN or Inf. ``what`` names the values in the message."""
    if not torch.isfinite(values).all():
        raise ValueError(say("pruning.not_finite", what=what))
