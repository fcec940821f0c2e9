"""The one door to the engine: everything a page, the command line or a sweep can ask for is one call here.

Calls that take long tell ``progress(done, total, text, partial)`` how far they are and look at ``cancel``. What they found is kept
in the store, so that asking again, from another tab or next week, answers at once.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from robustprune.base.progress import Cancel, Progress, silent
from robustprune.base.stores import store
from robustprune.lab import brought, evaluations
from robustprune.lab import runs as lab_runs
from robustprune.lab.accuracy import Evaluation
from robustprune.lab.attacks import (
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
from robustprune.lab.baselines import export_retrained, retrain, shipped_baselines
from robustprune.lab.curves import averaging_curve, find_averaging_curve
from robustprune.lab.exports import check_export_folder, compress, export_model
from robustprune.lab.looks import attention, embeddings, find_attention, find_embeddings, find_layer_views, layer_views, predict
from robustprune.lab.models import find_model, load_model, loaded, stored_run
from robustprune.lab.runs import PruneRun
from robustprune.lab.soups import SOUP_EXAMPLES, all_soups, export_average, is_adversarial, soup, write_recipe
from robustprune.lab.speed import measure_speed
from robustprune.lab.tables import all_tables, compare
from robustprune.lab.trainings import train
from robustprune.models import sources
from robustprune.models.sources import built_in as built_in_models
from robustprune.models.sources import card as model_card
from robustprune.specs.prune import PruneSpec
from robustprune.texts import datasets
from robustprune.texts.datasets import BUILT_IN as DEMO_DATASETS
from robustprune.texts.tables import FORMATS as TABLE_FORMATS
from robustprune.texts.tables import Guess, guess_classes, label_values, read_hub
from robustprune.texts.tables import guess as guess_columns
from robustprune.texts.tables import keep as keep_table
from robustprune.texts.tables import read as read_table

if TYPE_CHECKING:
    import pandas as pd

# What other modules of the lab, and the rooms below it, give to pages and the command line goes through this door too.
__all__ = [
    "ATTACK_EXAMPLES",
    "DEMO_DATASETS",
    "SOUP_EXAMPLES",
    "TABLE_FORMATS",
    "Guess",
    "all_runs",
    "all_soups",
    "all_tables",
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
    "get_resource",
    "guess_classes",
    "guess_columns",
    "is_adversarial",
    "label_values",
    "largest_class",
    "layer_views",
    "load_model",
    "measure_speed",
    "missing_resources",
    "model_card",
    "own_datasets",
    "own_models",
    "predict",
    "prune",
    "prune_digest",
    "read_hub",
    "read_table",
    "resource_names",
    "retrain",
    "shipped_baselines",
    "shipped_runs",
    "showcase",
    "soup",
    "stored_run",
    "train",
    "transfer",
    "usual_dataset",
    "write_recipe",
]  # fmt: skip

# Pruning


def prune_digest(spec: PruneSpec) -> tuple[str, PruneSpec, datasets.Texts, sources.ModelSource]:
    """A run's key, with what the spec resolved to: the spec with its data set filled in, the calibration texts, the dense model.

    Raises:
        ModelError, DataError: something the spec names is not to be had, or does not fit together.
    """
    return lab_runs.resolve(spec)


def find_run(spec: PruneSpec) -> PruneRun | None:
    """The stored run that a spec asks for, if it was ever made. Answers without loading a model."""
    return stored_run(prune_digest(spec)[0])


def all_runs() -> list[PruneRun]:
    """All stored runs, those of this machine first."""
    return lab_runs.every(store())


def shipped_runs(model: str) -> list[PruneRun]:
    """The runs of a model that ship, by sparsity; one whose weights were made here since is among them."""
    return lab_runs.shipped(store(), model)


def prune(spec: PruneSpec, progress: Progress = silent, cancel: Cancel | None = None, device: str = "auto") -> PruneRun:
    """Prunes a model, measures it before and after, and stores the result. A stored run with its weights comes back at once.

    ``progress``'s partial is the list of layer reports so far. ``device``: ``cpu``, ``cuda``, or ``auto``: CUDA where there is one.

    Raises:
        SpecError, ModelError, DataError, StoreError: what they say.
        Cancelled: ``cancel`` was set; nothing is stored.
    """
    return lab_runs.prune(store(), spec, loaded, device, progress, cancel)


# Accuracy


def evaluate(
    model: str,
    dataset: str | None = None,
    examples: int = lab_runs.EVALUATION_EXAMPLES,
    seed: int = 0,
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> Evaluation:
    """Accuracy of a model on evaluation texts: validation, else test. Fewer texts than ``examples`` means all there are."""
    return evaluations.evaluate(model, dataset, examples, seed, progress, cancel)


# Texts


def datasets_for(model: str) -> list[str]:
    """The data sets on this machine that fit a model, the one that is used by default first."""
    return datasets.on_this_machine(find_model(model).dataset)


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
    return datasets.demo_for(find_model(model).dataset)


def bring_model(name: str, progress: Progress = silent, cancel: Cancel | None = None) -> brought.OwnModel:
    """Checks a model of one's own (a folder or a hub id) by loading it, and remembers it."""
    return brought.bring_model(name, progress, cancel)


def own_models() -> list[brought.OwnModel]:
    """The models that were brought along and are still there."""
    return brought.models()


def own_datasets(model: str) -> list[brought.OwnData]:
    """The data sets that were brought along for a model's classes."""
    return brought.datasets(find_model(model))


def bring_data(model: str, shown: str, frame: "pd.DataFrame", text: str, label: str, classes: Mapping[str, int | None]) -> brought.OwnData:
    """Keeps a table as a data set for a model: its text column, and its labels as classes (None: left out).

    Raises:
        DataError: too little is left.
    """
    name = keep_table(shown, frame, text, label, classes)
    return brought.remember_data(name, shown, find_model(model).labels)


def largest_class(dataset: str) -> float:
    """The share of a data set's evaluation texts that always guessing its most frequent label would get right."""
    labels = datasets.load(dataset, "evaluation").labels
    return max(labels.count(label) for label in set(labels)) / len(labels)


def showcase(model: str) -> list[tuple[str, int]]:
    """Demo texts to show an attack on, with their labels; none for a model that no demo texts fit."""
    demo = datasets.demo_for(find_model(model).dataset)
    texts = datasets.load(demo, "showcase") if demo else None
    return list(zip(texts.texts, texts.labels, strict=True)) if texts else []
