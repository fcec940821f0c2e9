"""Numbers that are none: where they come up, the layer is named."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from robustprune.base.errors import ModelError
from robustprune.base.messages import say


@contextmanager
def naming(layer: str) -> Iterator[None]:
    """Turns a ValueError within into a ModelError that says at which layer the computation could not go on."""
    try:
        yield
    except ValueError as error:
        raise ModelError("pruning.stopped_at", layer=layer, why=error.args[0] if error.args else error) from error


def check_finite(what: str, values: Tensor) -> None:
    """Raises ValueError if a layer's ``what`` hold NaN or Inf."""
    if not torch.isfinite(values).all():
        raise ValueError(say("pruning.not_finite", what=what))
