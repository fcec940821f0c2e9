"""Finds and loads models by name. Names include built-in models, folders, hub ids, averages, stored runs and stored baselines."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from robustprune.base.errors import ModelError
from robustprune.base.messages import say
from robustprune.base.progress import Cancel, Progress, part_of, silent
from robustprune.base.stores import store
from robustprune.lab import runs
from robustprune.lab.runs import PruneRun
from robustprune.models import loading, sources
from robustprune.models.sources import BASELINE, RUN

LOADED_MODELS = 4
# The store's kind for retrained baselines.
BASELINE_KIND = "baselines"


def find_model(ref: str) -> sources.ModelSource:
    """Finds the model with a name: a built-in name, an average, a folder, a hub id, ``run:<digest>`` or ``baseline:<digest>``.

    The last two name a stored run and a stored baseline.
    """
    if ref.startswith(BASELINE):
        return _find_baseline(ref)
    if not ref.startswith(RUN):
        return sources.find(ref)
    run = stored_run(ref.removeprefix(RUN))
    if run is None:
        raise ModelError("lab.no_such_run", digest=ref.removeprefix(RUN))
    return sources.ModelSource(ref, run.model_dir or Path(), run.digest, run.labels, run.spec.dataset)


def _find_baseline(ref: str) -> sources.ModelSource:
    entry = store().get_checked(BASELINE_KIND, ref.removeprefix(BASELINE))
    if entry is None:
        raise ModelError("lab.no_such_baseline", digest=ref.removeprefix(BASELINE))
    return replace(sources.find(str(entry.folder / "model")), name=ref, dataset=entry.document["dataset"])


def load_model(ref: str, progress: Progress = silent, cancel: Cancel | None = None) -> loading.Classifier:
    """Loads a model. If it is a stored run without weights, the weights are computed again first."""
    source = find_model(ref)
    if ref.startswith(RUN):
        source = replace(source, folder=_weights_of(source.digest, progress, cancel))
    return loaded(source)


def _weights_of(key: str, progress: Progress, cancel: Cancel | None) -> Path:
    """The checked model folder of a stored run. If it is missing or damaged, the run is made again."""
    spec = stored_run(key).spec
    run = runs.find_checked(store(), key)
    if run and run.model_dir:
        return run.model_dir
    if runs.resolve(spec)[0] != key:
        raise ModelError("lab.run_cannot_be_made_again", digest=key)

    pruning = part_of(progress, 0, 1, say("lab.making_weights"))

    def plain(done: float, total: float, text: str, _: Any = None) -> None:  # drops the layer reports, because the caller's partial results are of another type
        pruning(done, total, text, None)

    return runs.prune(store(), spec, loaded, "auto", plain, cancel).model_dir


@lru_cache(maxsize=LOADED_MODELS)
def loaded(source: sources.ModelSource) -> loading.Classifier:
    """The model of a source. The last LOADED_MODELS models are cached in memory."""
    return loading.load(source)


def stored_run(key: str) -> PruneRun | None:
    """The stored run of that digest, with or without its weights, or None."""
    return runs.find(store(), key)
