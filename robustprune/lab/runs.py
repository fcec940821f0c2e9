"""Runs of the pruning engine: resolves a spec to a key, finds the stored run, and makes a new run."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from robustprune.base import logs
from robustprune.base.hashing import digest
from robustprune.base.messages import say
from robustprune.base.progress import Cancel, Progress, cancellable, check_cancelled
from robustprune.base.store import Entry, Store, understood
from robustprune.lab import accuracy
from robustprune.lab.run_record import RunRecord
from robustprune.models import loading, sources
from robustprune.models.sources import RUN
from robustprune.pruning import ENGINE_VERSION
from robustprune.specs.prune import PruneSpec, check_device
from robustprune.texts import datasets

KIND = "runs"
# The number of texts on which the accuracy of the dense and of the sparse model is measured.
EVALUATION_EXAMPLES = 1000


@dataclass(frozen=True)
class PruneRun(RunRecord):
    """A finished run in the store.

    Attributes:
        digest: the run's key, a hash of the settings, the dense model and the calibration texts.
        model_dir: the folder of the pruned model; None if only the record is stored and the weights must be computed again.
        shipped: True if the run ships with the project.
    """

    digest: str
    model_dir: Path | None
    shipped: bool

    @property
    def ref(self) -> str:
        """The name of the pruned model in calls of the lab."""
        return RUN + self.digest


def as_run(entry: Entry | None) -> PruneRun | None:
    """Reads the run from an entry of the store. Returns None if the entry is None or if another version of the program wrote it."""
    return understood(entry, _read)


def _read(entry: Entry) -> PruneRun:
    weights = entry.folder / "model"
    model_dir = weights if (weights / "model.safetensors").is_file() else None
    return PruneRun.from_json(entry.document, digest=entry.key, model_dir=model_dir, shipped=entry.shipped)


def resolve(spec: PruneSpec) -> tuple[str, PruneSpec, datasets.Texts, sources.ModelSource]:
    """Returns the run's key, the spec with its data set filled in, the calibration texts and the dense model.

    Raises:
        ModelError, DataError: the model or the data set cannot be found, or they do not fit together.
    """
    source = sources.find(spec.model)
    named = replace(spec, dataset=spec.dataset or datasets.default_for(source.dataset))
    texts = datasets.load(named.dataset, "calibration").sample(spec.calibration, spec.seed)
    texts.check_labels(source.labels)
    settings = {key: value for key, value in named.to_json().items() if key not in ("model", "dataset", "calibration")}
    return digest("prune", settings, source.digest, texts.digest, ENGINE_VERSION), named, texts, source


def find(store: Store, key: str) -> PruneRun | None:
    """The stored run of that digest, with or without its weights, or None."""
    return as_run(store.get(KIND, key))


def find_checked(store: Store, key: str) -> PruneRun | None:
    """Like :func:`find`, but compares the files with their hashes. A damaged entry is moved aside and not used."""
    return as_run(store.get_checked(KIND, key))


def every(store: Store) -> list[PruneRun]:
    """All stored runs. Runs that were made on this machine come before runs that ship."""
    return [run for entry in store.entries(KIND) if (run := as_run(entry))]


def shipped(store: Store, model: str) -> list[PruneRun]:
    """The runs of a model that ship with the project, sorted by sparsity. A run that was also made on this machine has its weights."""
    found = [run for key in store.shipped_keys(KIND) if (run := find(store, key)) and run.spec.model == model]
    return sorted(found, key=lambda run: run.spec.sparsity)


def prune(
    store: Store,
    spec: PruneSpec,
    load: Callable[[sources.ModelSource], loading.Classifier],
    device: str,
    progress: Progress,
    cancel: Cancel | None,
) -> PruneRun:
    """Prunes a model, measures its accuracy before and after, and stores the result. A stored run with weights is returned at once."""
    check_device(device)
    key, named, texts, source = resolve(spec)
    known = find_checked(store, key)
    if known and known.model_dir:
        return known
    from robustprune.lab import run_folder
    from robustprune.models import inference
    from robustprune.pruning import pipeline

    with logs.work("pruning", key):
        place = inference.device(device)
        progress(0, 1, say("lab.loading"), None)
        dense = load(source)
        on_device = inference.on_device(dense.model, place)

        sparse, report = pipeline.prune(on_device, dense.tokenizer, texts.texts, named, cancellable(progress, cancel))
        layers = report.layers
        progress(len(layers), len(layers), say("lab.measuring_accuracy"), layers)
        sample = accuracy.texts_for(source, named.dataset, EVALUATION_EXAMPLES, seed=0)

        def measured(model: Any, of: str, name: str) -> accuracy.Evaluation:
            return accuracy.measure(store, of, name, model, dense.tokenizer, sample, lambda *_: check_cancelled(cancel))

        before = accuracy.find(store, source.digest, spec.model, sample) or measured(on_device, source.digest, spec.model)
        # Measured even if a record of this run ships, because these weights were computed on this machine.
        after = measured(sparse, key, RUN + key)
        sparse = sparse.cpu()
        made = {"day": time.strftime("%Y-%m-%d", time.gmtime()), "device": place.type, **run_folder.circumstances()}
        record = RunRecord(named, texts.source, source.labels, report, before, after, made)
        check_cancelled(cancel)
        progress(len(layers), len(layers), say("lab.storing"), layers)
        entry = store.put(KIND, key, record.to_json(), lambda folder: run_folder.write(folder / "model", sparse, dense.tokenizer, key, record))
        return as_run(entry)


def drop_weights(store: Store, key: str) -> None:
    """Deletes the weights of a run that was made on this machine and keeps its record. The weights can be computed again from its settings."""
    entry = store.get(KIND, key)
    if entry and not entry.shipped and (entry.folder / "model").is_dir():
        store.put(KIND, key, entry.document)
