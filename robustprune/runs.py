"""Runs of the pruning engine: what a spec resolves to, the stored run of it, and making it."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from robustprune import data, evaluation, logs, models
from robustprune.errors import Cancelled
from robustprune.pruning import ENGINE_VERSION
from robustprune.results import RUN, PruneRun, as_run
from robustprune.spec import PruneSpec, check_device, digest
from robustprune.store import Store

KIND = "runs"
# How many texts accuracy is measured on, dense and sparse.
EVALUATION_EXAMPLES = 1000
Progress = Callable[[float, float, str, Any], None]


def resolve(spec: PruneSpec) -> tuple[str, PruneSpec, data.Texts, models.ModelSource]:
    """A run's key, with what the spec resolved to: the spec with its data set filled in, the calibration texts, the dense model.

    Raises:
        ModelError, DataError: something the spec names is not to be had, or does not fit together.
    """
    source = models.find(spec.model)
    named = replace(spec, dataset=spec.dataset or data.default_for(source.dataset))
    texts = data.load(named.dataset, "calibration").sample(spec.calibration, spec.seed)
    texts.check_labels(source.labels)
    settings = {key: value for key, value in named.to_json().items() if key not in ("model", "dataset", "calibration")}
    return digest("prune", settings, source.digest, texts.digest, ENGINE_VERSION), named, texts, source


def find(store: Store, key: str) -> PruneRun | None:
    """The stored run of that digest, with or without its weights; None if there is none."""
    entry = store.get(KIND, key)
    return as_run(entry) if entry else None


def find_checked(store: Store, key: str) -> PruneRun | None:
    """The same, its files compared with their hashes; one that is damaged is set aside."""
    entry = store.get_checked(KIND, key)
    return as_run(entry) if entry else None


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
    load: Callable[[models.ModelSource], models.Classifier],
    device: str,
    progress: Progress,
    cancel: threading.Event | None,
) -> PruneRun:
    """Prunes a model, measures it before and after, and stores the result. A stored run with its weights comes back at once."""
    check_device(device)
    key, named, texts, source = resolve(spec)
    known = find_checked(store, key)
    if known and known.model_dir:
        return known
    from robustprune import inference
    from robustprune.pruning import export, pipeline

    with logs.work("pruning", key):
        place = inference.device(device)
        progress(0, 1, "loading", None)
        dense = load(source)
        on_device = inference.on_device(dense.model, place)

        def watch(done: float, total: int, layers: Sequence[Any]) -> None:
            check(cancel)
            progress(done, total, f"layer {min(int(done) + 1, total)} of {total}", tuple(layers))

        sparse, report = pipeline.prune(on_device, dense.tokenizer, texts.texts, named, watch)
        layers = report.layers
        progress(len(layers), len(layers), "measuring accuracy", layers)
        sample = evaluation.texts_for(source, named.dataset, EVALUATION_EXAMPLES, seed=0)

        def measured(model: Any, of: str, name: str) -> evaluation.Evaluation:
            return evaluation.measure(store, of, name, model, dense.tokenizer, sample, lambda *_: check(cancel))

        before = evaluation.find(store, source.digest, spec.model, sample) or measured(on_device, source.digest, spec.model)
        # Measured even where a report of this run ships: these weights were made here.
        after = measured(sparse, key, RUN + key)
        sparse = sparse.cpu()
        document = {
            "spec": named.to_json(),
            "source": texts.source,
            "labels": list(source.labels),
            "report": report.to_json(),
            "dense": before.to_json(),
            "sparse": after.to_json(),
            "made": {"day": time.strftime("%Y-%m-%d", time.gmtime()), "device": place.type, **export.circumstances()},
        }
        check(cancel)
        progress(len(layers), len(layers), "storing", layers)
        entry = store.put(KIND, key, document, lambda folder: export.write(folder / "model", sparse, dense.tokenizer, key, document))
        return as_run(entry)


def drop_weights(store: Store, key: str) -> None:
    """Keeps only the report of a run that was made here; its weights can be made again from its settings."""
    entry = store.get(KIND, key)
    if entry and not entry.shipped and (entry.folder / "model").is_dir():
        store.put(KIND, key, entry.document)


def check(cancel: threading.Event | None) -> None:
    """Raises Cancelled if the person wants to stop."""
    if cancel is not None and cancel.is_set():
        raise Cancelled("Cancelled; nothing was kept.")
