"""The lab's calls about training: dense models, averages of them, retrained baselines, and tables that compare them all."""

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
    """Trains and writes to ``out`` with a card, which is returned: a new head; from a ``head`` an adapter; or fine-tunes a ``model``.

    A training that was cancelled goes on where it stopped when it is asked for again.
    """
    from robustprune.training import train as training

    check_device(device)
    check_one_start(head, model)
    start = training.Start.from_head(head, dataset) if head else training.Start.from_model(load_model(model, progress, cancel)) if model else None
    return training.train(dataset, out, start, spec, command, device, progress, cancel)


def check_one_start(head: Path | None, model: str | None) -> None:
    """Raises SpecError if a training is to start from a head and from a model at once."""
    if head is not None and model is not None:
        raise SpecError("lab.head_or_model")
