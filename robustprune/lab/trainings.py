"""The lab's call that trains a dense model, and what a training starts from."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustprune.base.progress import Cancel, Progress, silent
from robustprune.lab.models import load_model
from robustprune.specs.prune import check_device
from robustprune.specs.train import StartFrom, TrainSpec

if TYPE_CHECKING:
    from robustprune.training.train import Start


def train(
    dataset: str,
    out: Path,
    spec: TrainSpec,
    start: StartFrom | None = None,
    *,
    command: str = "",
    device: str = "auto",
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> dict[str, Any]:
    """Trains a model, writes it to ``out`` with its card, and returns the card.

    From a model, fine-tunes that model. From a head, trains an adapter. Without a start, trains a new head.
    If a training was cancelled, the same call later continues it where it stopped.
    """
    from robustprune.training import train as training

    check_device(device)
    return training.train(dataset, out, weights_of(start or StartFrom(), dataset, progress, cancel), spec, command, device, progress, cancel)


def weights_of(start: StartFrom, dataset: str, progress: Progress, cancel: Cancel | None) -> "Start | None":
    """The weights that a training starts from; None if neither a head nor a model is named.

    Raises:
        ModelError: the head or the model cannot be loaded.
    """
    from robustprune.training.train import Start

    if start.model:
        return Start.from_model(load_model(start.model, progress, cancel))
    return Start.from_head(start.head, dataset) if start.head else None
