"""The lab's calls about training: dense models, averages of them, retrained baselines, and tables that compare them all."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from robustprune import adapters, curves, folders, loading, retraining, soups, tables
from robustprune.curves import Curve
from robustprune.errors import SpecError
from robustprune.loading import Progress, load_model, silent
from robustprune.retraining import Retrained
from robustprune.soups import SoupRun
from robustprune.spec import AttackSpec, PruneSpec, check_device
from robustprune.tables import Table
from robustprune.training_specs import BaselineSpec, TrainSpec

SOUP_EXAMPLES = 100
CURVE_POINTS, CURVE_EXAMPLES = 11, 1000


def soup(
    dataset: str,
    ingredients: Sequence[str] | None = None,
    examples: int = SOUP_EXAMPLES,
    choose_by: int = SOUP_EXAMPLES,
    spec: AttackSpec | None = None,
    progress: Progress = silent,
    cancel: threading.Event | None = None,
) -> SoupRun:
    """A robust dense model by greedy weight averaging (Li et al. 2023, Alg. 3). ``ingredients`` left out: those that ship.

    Chosen by accuracy under attack on ``choose_by`` training texts that were held out, reported on ``examples`` evaluation texts.
    ``progress``'s partial is the steps so far. The average is the model of the name ``SoupRun.model``, for every call here.

    Raises:
        ModelError, DataError: no ingredients, they do not average, or they were trained on what they would be chosen by.
    """
    return soups.make(dataset, ingredients, examples, choose_by, spec or AttackSpec(), progress, cancel)


def all_soups() -> list[SoupRun]:
    """All soups that were made here or ship, those of this machine first."""
    return soups.every()


def averaging_curve(
    first: str,
    second: str,
    dataset: str | None = None,
    points: int = CURVE_POINTS,
    examples: int = CURVE_EXAMPLES,
    attacked: int = 0,
    spec: AttackSpec | None = None,
    progress: Progress = silent,
    cancel: threading.Event | None = None,
) -> Curve:
    """Loss and accuracy of the averages between two models, both ends among them; with ``attacked`` texts also accuracy under attack."""
    return curves.make(first, second, dataset, points, examples, attacked, spec or AttackSpec(), progress, cancel)


def find_averaging_curve(
    first: str,
    second: str,
    dataset: str | None = None,
    points: int = CURVE_POINTS,
    examples: int = CURVE_EXAMPLES,
    attacked: int = 0,
    spec: AttackSpec | None = None,
) -> Curve | None:
    """The stored curve, if there is one. Answers without loading a model."""
    return curves.find(first, second, dataset, points, examples, attacked, spec or AttackSpec())


def export_average(run: SoupRun, out: Path, progress: Progress = silent, cancel: threading.Event | None = None) -> Path:
    """Writes a soup to the new folder ``out``: a model that transformers loads, and ``soup.json``, which says how it was chosen."""
    folders.check_is_free(out)
    classifier = load_model(run.model, progress, cancel)

    def write(folder: Path) -> None:
        soups.write(folder, classifier, run)

    folders.write_whole(out, write)
    return out


def write_recipe(run: SoupRun, out: Path, command: str) -> Path:
    """Writes to ``out`` only which ingredients a soup is the average of, as a soup ships. They must be models that ship themselves."""
    folders.replace_whole(out, adapters.CARD, lambda folder: soups.write_recipe(folder, out.name, run, command))
    return out


def retrain(
    dataset: str,
    spec: BaselineSpec,
    *,
    head: Path | None = None,
    model: str | None = None,
    command: str = "",
    device: str = "auto",
    progress: Progress = silent,
    cancel: threading.Event | None = None,
) -> Retrained:
    """Prunes by magnitude and retrains (IMP, LTH), from a ``model``, or from a ``head`` on the backbone; left out: the data set's head.

    Stored; one that was cancelled goes on where it stopped.
    """
    check_device(device)
    _check_one_start(head, model)
    return retraining.retrain(loading.store(), dataset, spec, head, model, command, device, progress, cancel)


def shipped_baselines(dataset: str | None) -> dict[str, str]:
    """The retrained baselines that ship for a data set: their names, and what they are (``imp+freelb``)."""
    return retraining.shipped(dataset)


def export_retrained(made: Retrained, out: Path) -> Path:
    """Copies a baseline's folder to ``out``; one that was written before gives way."""
    folders.replace_whole(out, adapters.CARD, lambda folder: retraining.write(made, folder, out.name))
    return out


def compare(
    start: str,
    others: Sequence[str] = (),
    prunings: Sequence[PruneSpec] = (),
    baselines: Sequence[BaselineSpec] = (),
    *,
    dataset: str,
    examples: int = SOUP_EXAMPLES,
    spec: AttackSpec | None = None,
    command: str = "",
    progress: Progress = silent,
    cancel: threading.Event | None = None,
) -> Table:
    """One table of models under one attack: ``start``, others beside it, ``start`` pruned in several ways, and retrained baselines."""
    return tables.make(start, others, prunings, baselines, dataset, examples, spec or AttackSpec(), command, progress, cancel)


def all_tables() -> list[Table]:
    """All such tables that were made here or ship, those of this machine first."""
    return tables.every()


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
    cancel: threading.Event | None = None,
) -> dict[str, Any]:
    """Trains and writes to ``out`` with a card, which is returned: a new head; from a ``head`` an adapter; or fine-tunes a ``model``.

    A training that was cancelled goes on where it stopped when it is asked for again.
    """
    from robustprune.training import train as training

    check_device(device)
    _check_one_start(head, model)
    start = training.Start.from_head(head, dataset) if head else training.Start.from_model(load_model(model, progress, cancel)) if model else None
    return training.train(dataset, out, start, spec, command, device, progress, cancel)


def _check_one_start(head: Path | None, model: str | None) -> None:
    if head is not None and model is not None:
        raise SpecError("A training starts from a head or from a model, not from both. Name one of them.")
