"""Random numbers of a training: seeded for it alone, so that the rest of the process draws as if there had been none."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int, place: torch.device) -> Iterator[None]:
    """While this is open, PyTorch draws from ``seed``, on the CPU and on ``place``; afterwards its generators are as they were before."""
    with torch.random.fork_rng([place] if place.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
