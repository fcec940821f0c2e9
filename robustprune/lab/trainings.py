"""The lab's call that trains a dense model."""

from pathlib import Path
from typing import Any

from robustprune.base.errors import SpecError
from robustprune.base.progress import Cancel, Progress, silent
from robustprune.lab.models import load_model
from robustprune.specs.prune import check_device
from robustprune.specs.train import TrainSpec


def train(
    dataset: str,
    out: Path,
    spec: TrainSpec,
    *,
    head: Path | None = None,
    model: str | None = None,
    command: str = "",
    device: str = "auto",
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> dict[str, Any]:
    """Trains a model, writes it to ``out`` with its card, and returns the card.

    With ``model``, fine-tunes that model. With ``head``, trains an adapter that starts from that head. With neither, trains a new head.
    If a training was cancelled, the same call later continues it where it stopped.
    """
    from robustprune.training import train as training

    check_device(device)
    check_one_start(head, model)
    start = training.Start.from_head(head, dataset) if head else training.Start.from_model(load_model(model, progress, cancel)) if model else None
    return training.train(dataset, out, start, spec, command, device, progress, cancel)


def check_one_start(head: Path | None, model: str | None) -> None:
    """Raises SpecError if both a head and a model are given, because a training has one start."""
    if head is not None and model is not None:
        raise SpecError("lab.head_or_model")
