"""Where a training stands, on disk, so that one that was cancelled or lost goes on from there, bit for bit."""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from robustprune.base import partials

SECONDS_BETWEEN = 60.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class State:
    """Everything that the next step depends on.

    Attributes:
        step: how many steps are done.
        seconds: how long they took.
        loss: running mean of the loss, as the loop keeps it.
        weights: what is trained, by name.
        optimiser: the optimiser's tensors, ``<number of the weight>.<name>``.
        draws: the state of PyTorch's random numbers, of the CPU and, where it is used, of the GPU.
    """

    step: int
    seconds: float
    loss: float
    weights: Mapping[str, Tensor]
    optimiser: Mapping[str, Tensor]
    draws: Mapping[str, Tensor]

    @classmethod
    def of(cls, step: int, seconds: float, loss: float, weights: Mapping[str, Tensor], optimiser: torch.optim.Optimizer, place: torch.device) -> Self:
        """The state after a step."""
        kept = {f"{number}.{name}": value for number, values in optimiser.state_dict()["state"].items() for name, value in values.items() if value is not None}
        draws = {"cpu": torch.get_rng_state()} | ({"cuda": torch.cuda.get_rng_state()} if place.type == "cuda" else {})
        return cls(step, seconds, loss, weights, kept, draws)

    def fits(self, weights: Mapping[str, Tensor]) -> bool:
        """Whether the state is of these weights."""
        return {name: weight.shape for name, weight in weights.items()} == {name: weight.shape for name, weight in self.weights.items()}

    @torch.no_grad()
    def restore(self, weights: Mapping[str, Tensor], optimiser: torch.optim.Optimizer) -> None:
        """Puts weights, optimiser and random numbers back to where they were."""
        for name, weight in weights.items():
            weight.copy_(self.weights[name])
        by_number: dict[int, dict[str, Tensor]] = {}
        for key, value in self.optimiser.items():
            number, _, name = key.partition(".")
            by_number.setdefault(int(number), {})[name] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": by_number})
        torch.set_rng_state(self.draws["cpu"])
        if "cuda" in self.draws:
            torch.cuda.set_rng_state(self.draws["cuda"])


class Checkpoint:
    """A file with the state of one training. It is written by one rename, and not oftener than every minute."""

    def __init__(self, path: Path) -> None:
        self.path, self._written = path, time.monotonic()

    def due(self) -> bool:
        """Whether a minute has passed since the last one."""
        return time.monotonic() - self._written > SECONDS_BETWEEN

    def load(self) -> State | None:
        """The state that was kept; None, and a word in the log where it is damaged, if there is none."""
        try:
            with safe_open(self.path, framework="pt") as file:
                about = json.loads(file.metadata()["state"])
                parts: dict[str, dict[str, Tensor]] = {"weights": {}, "optimiser": {}, "draws": {}}
                for key in file.keys():  # noqa: SIM118 (it is no mapping)
                    part, _, name = key.partition("/")
                    parts[part][name] = file.get_tensor(key)
            return State(**about, **parts)
        except FileNotFoundError:
            return None
        except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
            log.warning("Where the training stood cannot be read (%s); it starts from the beginning.", error)
            return None

    def seconds(self) -> float:
        """How long the steps took that need not be done again."""
        state = self.load()
        return state.seconds if state else 0.0

    def save(self, state: State) -> None:
        """Keeps a state; where that fails, the training goes on without."""
        tensors: dict[str, Any] = {}
        for part in ("weights", "optimiser", "draws"):
            tensors |= {f"{part}/{name}": value.detach().cpu().contiguous() for name, value in getattr(state, part).items()}
        about = {"step": state.step, "seconds": state.seconds, "loss": state.loss}
        try:
            with partials.file(self.path) as partial:
                save_file(tensors, partial, {"state": json.dumps(about)})
        except (OSError, SafetensorError) as error:
            log.warning("Where the training stands cannot be kept (%s): if it is interrupted, it starts again from the beginning.", error)
        self._written = time.monotonic()

    def remove(self) -> None:
        """The training is done."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:  # one that stays does no harm
            log.warning("%s cannot be removed: %s.", self.path, error.strerror)
