"""Runs of the pruning engine: what a spec resolves to, the stored run of it, and making it."""

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
# How many texts accuracy is measured on, dense and sparse.
EVALUATION_EXAMPLES = 1000


@dataclass(frozen=True)
class PruneRun(RunRecord):
    """A finished run as the store has it.

    Attributes:
        digest: the run's key: what was asked for and what it resolved to.
        model_dir: the exported model; None where only the record is here and the weights are to be computed anew.
        shipped: whether it comes with the project.
    """

    digest: str
    model_dir: Path | None
    shipped: bool

    @property
    def ref(self) -> str:
        """The name under which the lab knows the pruned model."""
        return RUN + self.digest


def as_run(entry: Entry | None) -> PruneRun | None:
    """The run that an entry of the store holds; None of no entry, or of one that another version of this program wrote."""
    return understood(entry, _read)


def _read(entry: Entry) -> PruneRun:
    weights = entry.folder / "model"
    model_dir = weights if (weights / "model.safetensors").is_file() else None
    return PruneRun.from_json(entry.document, digest=entry.key, model_dir=model_dir, shipped=entry.shipped)


def resolve(spec: PruneSpec) -> tuple[str, PruneSpec, datasets.Texts, sources.ModelSource]:
    """A run's key, with what the spec resolved to: the spec with its data set filled in, the calibration texts, the dense model.

    Raises:
        ModelError, DataError: something the spec names is not to be had, or does not fit together.
    """
    source = sources.find(spec.model)
    named = replace(spec, dataset=spec.dataset or datasets.default_for(source.dataset))
    texts = datasets.load(named.dataset, "calibration").sample(spec.calibration, spec.seed)
    texts.check_labels(source.labels)
    settings = {key: value for key, value in named.to_json().items() if key not in ("model", "dataset", "calibration")}
    return digest("prune", settings, source.digest, texts.digest, ENGINE_VERSION), named, texts, source


def find(store: Store, key: str) -> PruneRun | None:
    """The stored run of that digest, with or without its weights; None if there is none."""
    return as_run(store.get(KIND, key))


def find_checked(store: Store, key: str) -> PruneRun | None:
    """The same, its files compared with their hashes; one that is damaged is set aside."""
    return as_run(store.get_checked(KIND, key))


def every(store: Store) -> list[PruneRun]:
    """All stored runs, those of this machine first."""
    return [run for entry in store.entries(KIND) if (run := as_run(entry))]


def shipped(store: Store, model: str) -> list[PruneRun]:
    """The runs of a model that ship, by sparsity; one whose weights were made here since is among them."""
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
    """Prunes a model, measures it before and after, and stores the result. A stored run with its weights comes back at once."""
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
        # Measured even where a report of this run ships: these weights were made here.
        after = measured(sparse, key, RUN + key)
        sparse = sparse.cpu()
        made = {"day": time.strftime("%Y-%m-%d", time.gmtime()), "device": place.type, **run_folder.circumstances()}
        record = RunRecord(named, texts.source, source.labels, report, before, after, made)
        check_cancelled(cancel)
        progress(len(layers), len(layers), say("lab.storing"), layers)
        entry = store.put(KIND, key, record.to_json(), lambda folder: run_folder.write(folder / "model", sparse, dense.tokenizer, key, record))
        return as_run(entry)


def drop_weights(store: Store, key: str) -> None:
    """Keeps only the report of a run that was made here; its weights can be made again from its settings."""
    entry = store.get(KIND, key)
    if entry and not entry.shipped and (entry.folder / "model").is_dir():
        store.put(KIND, key, entry.document)
