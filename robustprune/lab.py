"""The one door to the engine: everything a page, the command line or a sweep can ask for is one call here.

Calls that take long tell ``progress(done, total, text, partial)`` how far they are and look at ``cancel``. What they found is kept
in the store, so that asking again, from another tab or next week, answers at once.
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from robustprune import data, evaluating, evaluation, folders, models, own, own_data
from robustprune import runs as _runs
from robustprune.analysis_calls import attention, embeddings, find_attention, find_embeddings, find_layer_views, layer_views, predict
from robustprune.attacking import (
    ATTACK_EXAMPLES,
    attack_side_by_side,
    attack_texts,
    find_attack,
    find_attacks,
    find_comparison,
    find_scores,
    get_resource,
    missing_resources,
    resource_names,
    transfer,
)
from robustprune.data import BUILT_IN as DEMO_DATASETS
from robustprune.evaluation import Evaluation
from robustprune.lesson_numbers import find_usual_run, lesson_soup, lesson_table
from robustprune.lesson_numbers import numbers as lesson_numbers
from robustprune.lessons import lessons
from robustprune.loading import Progress, find_model, load_model, loaded, silent, store, stored_run
from robustprune.models import built_in as built_in_models
from robustprune.models import card as model_card
from robustprune.own_data import FORMATS as TABLE_FORMATS
from robustprune.own_data import Guess, guess_classes, label_values, read_hub
from robustprune.own_data import guess as guess_columns
from robustprune.own_data import read as read_table
from robustprune.results import RUN, PruneRun
from robustprune.soups import is_adversarial
from robustprune.spec import PruneSpec
from robustprune.sweep_calls import answers, plan_sweep, results, shipped_sweeps, sweep, sweep_results, sweep_workers, write_results
from robustprune.sweeps.spec import SweepSpec
from robustprune.training_calls import (
    SOUP_EXAMPLES,
    all_soups,
    all_tables,
    averaging_curve,
    compare,
    export_average,
    export_retrained,
    find_averaging_curve,
    retrain,
    shipped_baselines,
    soup,
    train,
    write_recipe,
)

if TYPE_CHECKING:
    import pandas as pd

    from robustprune.analysis.surgeon import Removal, Surface
    from robustprune.latency import LatencyReport
    from robustprune.pruning.compressed import Sizes

# What other files hold of the facade, models and attacks, goes through the same door.
__all__ = [
    "ATTACK_EXAMPLES",
    "DEMO_DATASETS",
    "SOUP_EXAMPLES",
    "TABLE_FORMATS",
    "Guess",
    "SweepSpec",
    "all_soups",
    "all_tables",
    "answers",
    "attack_side_by_side",
    "attack_texts",
    "attention",
    "averaging_curve",
    "bring_data",
    "bring_model",
    "built_in_models",
    "check_export_folder",
    "compare",
    "compress",
    "datasets_for",
    "dense_starts",
    "embeddings",
    "evaluate",
    "export_average",
    "export_model",
    "export_retrained",
    "find_attack",
    "find_attacks",
    "find_attention",
    "find_averaging_curve",
    "find_comparison",
    "find_embeddings",
    "find_layer_views",
    "find_model",
    "find_run",
    "find_scores",
    "find_usual_run",
    "get_resource",
    "guess_classes",
    "guess_columns",
    "is_adversarial",
    "label_values",
    "largest_class",
    "layer_views",
    "lesson_numbers",
    "lesson_soup",
    "lesson_table",
    "lessons",
    "load_model",
    "measure_speed",
    "missing_resources",
    "model_card",
    "own_datasets",
    "own_models",
    "plan_sweep",
    "predict",
    "prune",
    "prune_digest",
    "read_hub",
    "read_table",
    "resource_names",
    "results",
    "retrain",
    "runs",
    "shipped_baselines",
    "shipped_runs",
    "shipped_sweeps",
    "showcase",
    "silent",
    "six_weights",
    "soup",
    "store",
    "stored_run",
    "surgeon_surface",
    "sweep",
    "sweep_results",
    "sweep_workers",
    "train",
    "transfer",
    "usual_dataset",
    "write_recipe",
    "write_results",
]  # fmt: skip

# Pruning


def prune_digest(spec: PruneSpec) -> tuple[str, PruneSpec, data.Texts, models.ModelSource]:
    """A run's key, with what the spec resolved to: the spec with its data set filled in, the calibration texts, the dense model.

    Raises:
        ModelError, DataError: something the spec names is not to be had, or does not fit together.
    """
    return _runs.resolve(spec)


def find_run(spec: PruneSpec) -> PruneRun | None:
    """The stored run that a spec asks for, if it was ever made. Answers without loading a model."""
    return stored_run(prune_digest(spec)[0])


def runs() -> list[PruneRun]:
    """All stored runs, those of this machine first."""
    return _runs.every(store())


def shipped_runs(model: str) -> list[PruneRun]:
    """The runs of a model that ship, by sparsity; one whose weights were made here since is among them."""
    return _runs.shipped(store(), model)


def prune(spec: PruneSpec, progress: Progress = silent, cancel: threading.Event | None = None, device: str = "auto") -> PruneRun:
    """Prunes a model, measures it before and after, and stores the result. A stored run with its weights comes back at once.

    ``progress``'s partial is the list of layer reports so far. ``device``: ``cpu``, ``cuda``, or ``auto``: CUDA where there is one.

    Raises:
        SpecError, ModelError, DataError, StoreError: what they say.
        Cancelled: ``cancel`` was set; nothing is stored.
    """
    return _runs.prune(store(), spec, loaded, device, progress, cancel)


def check_export_folder(out: Path) -> None:
    """Raises ModelError unless ``out`` is a new or an empty folder, so that nobody waits for an export that cannot be."""
    folders.check_is_free(out)


def export_model(run: PruneRun, out: Path) -> Path:
    """Copies a run's model folder to ``out``, whole or not at all."""
    return folders.copy_whole(run.model_dir, out)


def compress(model: str, out: Path, progress: Progress = silent, cancel: threading.Event | None = None) -> "Sizes":
    """Writes a model to the new folder ``out`` with a bit for every zero and 16 bits for every other weight; gives the sizes.

    ``out`` is a model that every call here takes by its path.
    """
    folders.check_is_free(out)
    progress(0, 1, "loading the model", None)
    classifier = load_model(model, progress, cancel)
    from robustprune.pruning import compressed, export

    def write(folder: Path) -> "Sizes":
        export.write_origin(folder, classifier.source.folder, classifier.source.dataset)
        return compressed.write(folder, classifier.model, classifier.tokenizer)

    return folders.write_whole(out, write)


def measure_speed(
    model: str, dense: str | None = None, dataset: str | None = None, batch_size: int = 1, progress: Progress = silent, cancel: threading.Event | None = None
) -> "tuple[LatencyReport, Sizes]":
    """Times a sparse model against the dense one in turns, on evaluation texts: as it is, out of the compressed file, and with
    kernels that skip zeros; gives the latencies and the sizes. ``dense``, left out, is known of a stored run only."""
    from robustprune import speed

    sparse = load_model(model, progress, cancel)
    dense = dense or (stored_run(sparse.source.digest).spec.model if model.startswith(RUN) else None)
    texts = evaluation.texts_for(sparse.source, dataset or data.demo_for(sparse.source.dataset), speed.TEXTS, seed=0)
    others = {"dense": load_model(dense, progress, cancel).model} if dense else {}

    def watch(done: int, total: int) -> None:
        _runs.check(cancel)
        progress(done, total, f"{done} of {total} passes", None)

    return speed.measure(others, sparse, texts.texts, batch_size, watch)


# Accuracy


def evaluate(
    model: str,
    dataset: str | None = None,
    examples: int = _runs.EVALUATION_EXAMPLES,
    seed: int = 0,
    progress: Progress = silent,
    cancel: threading.Event | None = None,
) -> Evaluation:
    """Accuracy of a model on evaluation texts: validation, else test. Fewer texts than ``examples`` means all there are."""
    return evaluating.evaluate(model, dataset, examples, seed, progress, cancel)


# Texts


def datasets_for(model: str) -> list[str]:
    """The data sets on this machine that fit a model, the one that is used by default first."""
    return data.on_this_machine(find_model(model).dataset)


def dense_starts(model: str) -> dict[str, str]:
    """The models that ship for the same data set, by how they were made: ``single`` fine-tuning or ``soup``; none for a model of one's own."""
    names = built_in_models()
    if model not in names:
        return {}
    cards = {name: model_card(name) for name in names}
    same = [name for name in names if cards[name]["dataset"] == cards[model]["dataset"]]
    return {"soup" if "ingredients" in cards[name] else "single": name for name in same}


def usual_dataset(model: str) -> str | None:
    """The demo texts of a model, which its shipped runs were made from; None where there are none."""
    return data.demo_for(find_model(model).dataset)


def bring_model(name: str, progress: Progress = silent, cancel: threading.Event | None = None) -> own.OwnModel:
    """Checks a model of one's own (a folder or a hub id) by loading it, and remembers it."""
    return own.bring_model(name, progress, cancel)


def own_models() -> list[own.OwnModel]:
    """The models that were brought along and are still there."""
    return own.models()


def own_datasets(model: str) -> list[own.OwnData]:
    """The data sets that were brought along for a model's classes."""
    return own.datasets(find_model(model))


def bring_data(model: str, shown: str, frame: "pd.DataFrame", text: str, label: str, classes: Mapping[str, int | None]) -> own.OwnData:
    """Keeps a table as a data set for a model: its text column, and its labels as classes (None: left out).

    Raises:
        DataError: too little is left.
    """
    name = own_data.keep(shown, frame, text, label, classes)
    return own.remember_data(name, shown, find_model(model).labels)


def largest_class(dataset: str) -> float:
    """The share of a data set's evaluation texts that always guessing its most frequent label would get right."""
    labels = data.load(dataset, "evaluation").labels
    return max(labels.count(label) for label in set(labels)) / len(labels)


def showcase(model: str) -> list[tuple[str, int]]:
    """Demo texts to show an attack on, with their labels; none for a model that no demo texts fit."""
    demo = data.demo_for(find_model(model).dataset)
    texts = data.load(demo, "showcase") if demo else None
    return list(zip(texts.texts, texts.labels, strict=True)) if texts else []


# Lessons


def surgeon_surface(correlation: float, scales: tuple[float, float], optimum: tuple[float, float]) -> "Surface":
    """The optimal brain surgeon's loss over two weights. Raises SpecError for a value out of range."""
    from robustprune.analysis import surgeon

    return surgeon.surface(correlation, scales, optimum)


def six_weights(correlation: float, seed: int) -> "list[Removal]":
    """Six weights, removed one by one by the engine's exact solver. Raises SpecError for a correlation out of range."""
    from robustprune.analysis import surgeon

    return surgeon.six_weights(correlation, seed)
