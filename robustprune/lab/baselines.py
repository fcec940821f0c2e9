"""Retrained baselines: resolves a spec to a key, finds the stored baseline, and trains a new one."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from robustprune.base import folders, logs, paths, stores
from robustprune.base.errors import ModelError
from robustprune.base.hashing import digest
from robustprune.base.progress import Cancel, Progress, silent
from robustprune.base.store import Entry, Store
from robustprune.lab.models import BASELINE_KIND
from robustprune.lab.trainings import weights_of
from robustprune.models import adapters, sources
from robustprune.models.sources import BASELINE
from robustprune.specs.prune import check_device
from robustprune.specs.train import BaselineSpec, StartFrom

HEADS = paths.ASSETS / "models" / "heads"


@dataclass(frozen=True)
class Retrained:
    """A stored baseline: its key, its card and the folder of its model. Every call of the lab accepts :attr:`ref` as the model's name."""

    digest: str
    card: dict[str, Any]
    model_dir: Path

    @property
    def ref(self) -> str:
        """The name of the model in calls of the lab."""
        return BASELINE + self.digest


def find(store: Store, key: str) -> Retrained | None:
    """The stored baseline of that digest, or None."""
    entry = store.get_checked(BASELINE_KIND, key)
    return _as_retrained(entry) if entry else None


def find_same(store: Store, dataset: str, spec: BaselineSpec) -> Retrained | None:
    """The first stored baseline of a data set whose card has these settings, or None. Unlike :func:`retrain`, it loads no model."""
    asked = spec.to_json()
    for entry in store.entries(BASELINE_KIND):
        settings = entry.document.get("settings", {})  # the card holds more settings than the spec
        if entry.document.get("dataset") == dataset and {name: settings.get(name) for name in asked} == asked:
            return _as_retrained(entry)
    return None


def shipped_baselines(dataset: str | None) -> dict[str, str]:
    """The shipped baselines of a data set: a dictionary from the model's name to its method, one of BASELINE_NAMES."""
    cards = {name: sources.card(name) for name in sources.baselines()}
    return {name: _kind(about["settings"]) for name, about in cards.items() if about["dataset"] == dataset}


def _kind(settings: dict[str, Any]) -> str:
    return settings["method"] + ("+freelb" if settings["train"]["freelb"]["steps"] else "")


def default_head(dataset: str) -> Path:
    """The folder of the shipped head for a data set. Raises ModelError if no head ships."""
    if Path(dataset).name != dataset or not (HEADS / dataset / adapters.CARD).is_file():
        raise ModelError("lab.no_head_ships", dataset=dataset)
    return HEADS / dataset


def retrain(
    dataset: str,
    spec: BaselineSpec,
    start: StartFrom | None = None,
    *,
    command: str = "",
    device: str = "auto",
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> Retrained:
    """Prunes by magnitude and retrains (IMP or LTH), and stores the baseline. A baseline that is already stored is returned at once.

    By default the start is the backbone with the shipped head of the data set. A cancelled training continues where it stopped.

    Raises:
        ModelError, DataError: the model, the head or the data set cannot be found or read, or they do not fit together.
        Cancelled: ``cancel`` was set.
    """
    check_device(device)
    from robustprune.training import train
    from robustprune.training.retrain import retrain as make

    given = weights_of(start or StartFrom(), dataset, progress, cancel) or train.Start.from_head(default_head(dataset), dataset)
    texts = train.TrainingTexts.of(dataset, replace(spec.train, rows=None), given.labels).texts
    key = digest("baseline", given.digest, texts.digest, spec.to_json(), train.TRAINING_VERSION)
    if known := find(stores.store(), key):
        return known
    name = f"{spec.name} at {spec.sparsity:.1%}".replace(".0%", "%")
    # The folder is written completely outside the store first, because its card becomes the document of the entry.
    made = paths.home() / "training" / key
    with logs.work("baseline", key):
        folders.replace_whole(made, adapters.CARD, lambda folder: make(dataset, folder, name, given, spec, command, device, progress, cancel))
    entry = stores.store().put(BASELINE_KIND, key, adapters.card(made), lambda folder: folders.copy_whole(made, folder / "model"))
    folders.remove(made)
    return _as_retrained(entry)


def export_retrained(made: Retrained, out: Path) -> Path:
    """Copies a baseline's folder to ``out``. Replaces a model folder that was written there before."""
    folders.replace_whole(out, adapters.CARD, lambda folder: _write(made, folder, out.name))
    return out


def _write(made: Retrained, folder: Path, name: str) -> None:
    """Copies a baseline's folder and writes ``name`` into its card."""
    folders.copy_whole(made.model_dir, folder)
    (folder / adapters.CARD).write_text(json.dumps({**made.card, "name": name}, indent=2) + "\n", encoding="utf-8")


def _as_retrained(entry: Entry) -> Retrained:
    return Retrained(entry.key, entry.document, entry.folder / "model")
