"""Saves the state of a training on disk. A training that was cancelled or killed continues from there with bit-identical results."""

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
    """The state of a training: everything that the next step depends on.

    Attributes:
        step: number of finished steps.
        seconds: time that these steps took.
        loss: running mean of the loss, before the loop corrects its bias.
        weights: the trained weights, by name.
        optimiser: the tensors of the optimiser, by ``<number of the weight>.<name>``.
        draws: the states of PyTorch's random generators: of the CPU and, if the training uses it, of the GPU.
    """

    step: int
    seconds: float
    loss: float
    weights: Mapping[str, Tensor]
    optimiser: Mapping[str, Tensor]
    draws: Mapping[str, Tensor]

    @classmethod
    def of(cls, step: int, seconds: float, loss: float, weights: Mapping[str, Tensor], optimiser: torch.optim.Optimizer, place: torch.device) -> Self:
        """Returns the state after the given number of steps. ``place`` is the device of the training."""
        kept = {f"{number}.{name}": value for number, values in optimiser.state_dict()["state"].items() for name, value in values.items() if value is not None}
        draws = {"cpu": torch.get_rng_state()} | ({"cuda": torch.cuda.get_rng_state()} if place.type == "cuda" else {})
        return cls(step, seconds, loss, weights, kept, draws)

    def fits(self, weights: Mapping[str, Tensor]) -> bool:
        """True if the state belongs to weights with the same names and shapes."""
        return {name: weight.shape for name, weight in weights.items()} == {name: weight.shape for name, weight in self.weights.items()}

    @torch.no_grad()
    def restore(self, weights: Mapping[str, Tensor], optimiser: torch.optim.Optimizer) -> None:
        """Sets weights, optimiser and random generators back to this state."""
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
    """A file that holds the state of one training. Each write replaces the file by one rename. :meth:`due` limits regular writes to one a minute."""

    def __init__(self, path: Path) -> None:
        self.path, self._written = path, time.monotonic()

    def due(self) -> bool:
        """True if more than a minute has passed since the last write, or since the start if nothing has been written."""
        return time.monotonic() - self._written > SECONDS_BETWEEN

    def load(self) -> State | None:
        """Returns the saved state. Returns None if there is no file, or if the file is damaged, which is logged."""
        try:
            with safe_open(self.path, framework="pt") as file:
                about = json.loads(file.metadata()["state"])
                parts: dict[str, dict[str, Tensor]] = {"weights": {}, "optimiser": {}, "draws": {}}
                for key in file.keys():  # noqa: SIM118 (the file object is not a dictionary)
                    part, _, name = key.partition("/")
                    parts[part][name] = file.get_tensor(key)
            return State(**about, **parts)
        except FileNotFoundError:
            return None
        except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
            log.warning("Where the training stood cannot be read (%s); it starts from the beginning.", error)
            return None

    def seconds(self) -> float:
        """Returns the time that the saved steps took, in seconds; 0 if there is no saved state."""
        state = self.load()
        return state.seconds if state else 0.0

    def save(self, state: State) -> None:
        """Saves a state. If this fails, it logs a warning, and the training continues without a saved state."""
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
        """Deletes the file. Call it after the training is complete."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:  # a file that stays does no harm
            log.warning("%s cannot be removed: %s.", self.path, error.strerror)
