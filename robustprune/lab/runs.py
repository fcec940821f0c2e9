"""Runs of the pruning engine: what a spec resolves to, the stored run of it, and making it."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from robustprune.base import logs
from robustprune.base.errors import RobustPruneError
from robustprune.base.hashing import digest
from robustprune.base.progress import Progress, check_cancelled
from robustprune.base.store import Entry, Store
from robustprune.lab import accuracy
from robustprune.lab.accuracy import Evaluation
from robustprune.models import loading, sources
from robustprune.models.sources import RUN
from robustprune.pruning import ENGINE_VERSION
from robustprune.pruning.report import PruneReport
from robustprune.specs.prune import PruneSpec, check_device
from robustprune.texts import datasets

KIND = "runs"
# How many texts accuracy is measured on, dense and sparse.
EVALUATION_EXAMPLES = 1000
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PruneRun:
    """A finished run of the pruning engine.

    Attributes:
        digest: the run's key: what was asked for and what it resolved to.
        spec: what was asked for, with the data set that was used filled in.
        source: where the calibration texts came from.
        labels: the model's class names.
        dense, sparse: accuracy before and after, on the same texts.
        model_dir: the exported model; None where only the report is here and the weights are to be computed anew.
        made: day, device, versions, and the number of threads; runs made before it was noted have none.
    """

    digest: str
    spec: PruneSpec
    source: str
    labels: tuple[str, ...]
    report: PruneReport
    dense: Evaluation
    sparse: Evaluation
    model_dir: Path | None
    shipped: bool
    made: dict[str, str | int]

    @property
    def mean_error(self) -> float:
        """Mean over layers of the relative reconstruction error."""
        return self.report.mean("total")

    @property
    def mean_held_out(self) -> float:
        """The same on texts that were kept from calibration."""
        return self.report.mean("held_out")

    @property
    def ref(self) -> str:
        """The name under which the lab knows the pruned model."""
        return RUN + self.digest


def as_run(entry: Entry) -> PruneRun | None:
    """The run that an entry of the store holds; None, and a word in the log, if it is of another version."""
    document = entry.document
    try:
        weights = entry.folder / "model"
        return PruneRun(
            digest=entry.key,
            spec=PruneSpec.from_json(document["spec"]),
            source=document["source"],
            labels=tuple(document["labels"]),
            report=PruneReport.from_json(document["report"]),
            dense=Evaluation(**document["dense"]),
            sparse=Evaluation(**document["sparse"]),
            model_dir=weights if (weights / "model.safetensors").is_file() else None,
            shipped=entry.shipped,
            made=document["made"],
        )
    except (KeyError, TypeError, RobustPruneError) as error:
        log.warning("The stored run %s is of another version of this program (%s) and is not used.", entry.key, error)
        return None


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
    load: Callable[[sources.ModelSource], loading.Classifier],
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
    from robustprune.lab import run_folder
    from robustprune.models import inference
    from robustprune.pruning import pipeline

    with logs.work("pruning", key):
        place = inference.device(device)
        progress(0, 1, "loading", None)
        dense = load(source)
        on_device = inference.on_device(dense.model, place)

        def watch(done: float, total: int, layers: Sequence[Any]) -> None:
            check_cancelled(cancel)
            progress(done, total, f"layer {min(int(done) + 1, total)} of {total}", tuple(layers))

        sparse, report = pipeline.prune(on_device, dense.tokenizer, texts.texts, named, watch)
        layers = report.layers
        progress(len(layers), len(layers), "measuring accuracy", layers)
        sample = accuracy.texts_for(source, named.dataset, EVALUATION_EXAMPLES, seed=0)

        def measured(model: Any, of: str, name: str) -> accuracy.Evaluation:
            return accuracy.measure(store, of, name, model, dense.tokenizer, sample, lambda *_: check_cancelled(cancel))

        before = accuracy.find(store, source.digest, spec.model, sample) or measured(on_device, source.digest, spec.model)
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
            "made": {"day": time.strftime("%Y-%m-%d", time.gmtime()), "device": place.type, **run_folder.circumstances()},
        }
        check_cancelled(cancel)
        progress(len(layers), len(layers), "storing", layers)
        entry = store.put(KIND, key, document, lambda folder: run_folder.write(folder / "model", sparse, dense.tokenizer, key, document))
        return as_run(entry)


def drop_weights(store: Store, key: str) -> None:
    """Keeps only the report of a run that was made here; its weights can be made again from its settings."""
    entry = store.get(KIND, key)
    if entry and not entry.shipped and (entry.folder / "model").is_dir():
        store.put(KIND, key, entry.document)
