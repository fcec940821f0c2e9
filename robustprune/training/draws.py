"""Seeds the random numbers of a training without changing the random numbers of the rest of the process."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int, place: torch.device) -> Iterator[None]:
    """Inside the block, PyTorch draws random numbers from ``seed``, on the CPU and on ``place``. At the end, its generators are restored."""
    with torch.random.fork_rng([place] if place.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
