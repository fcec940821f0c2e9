"""The programming interface of the engine. Everything that a page, the command line or a sweep needs is one function call here.

Long calls report to ``progress(done, total, text, partial)`` and stop when ``cancel`` is set. Their results are kept in the store, so
that the same call later, also from another process, returns at once.
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
    lacks_english,
    missing_resources,
    needs_english,
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

# Pages and the command line import everything from here, also what other modules of the lab and the packages below it define.
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
    "lacks_english",
    "largest_class",
    "layer_views",
    "load_model",
    "measure_speed",
    "missing_resources",
    "model_card",
    "needs_english",
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
    """Returns the run's key, the spec with its data set filled in, the calibration texts and the dense model.

    Raises:
        ModelError, DataError: the model or the data set cannot be found, or they do not fit together.
    """
    return lab_runs.resolve(spec)


def find_run(spec: PruneSpec) -> PruneRun | None:
    """The stored run of a spec, or None if there is none. Loads no model."""
    return stored_run(prune_digest(spec)[0])


def all_runs() -> list[PruneRun]:
    """All stored runs. Runs that were made on this machine come before runs that ship."""
    return lab_runs.every(store())


def shipped_runs(model: str) -> list[PruneRun]:
    """The runs of a model that ship with the project, sorted by sparsity. A run that was also made on this machine has its weights."""
    return lab_runs.shipped(store(), model)


def prune(spec: PruneSpec, progress: Progress = silent, cancel: Cancel | None = None, device: str = "auto") -> PruneRun:
    """Prunes a model, measures its accuracy before and after, and stores the result. A stored run with weights is returned at once.

    The partial result of ``progress`` is the list of layer reports so far. ``device`` is ``cpu``, ``cuda`` or ``auto``, which means CUDA
    if it is available.

    Raises:
        SpecError: the settings are not valid.
        ModelError, DataError: the model or the data set cannot be found or read, or they do not fit together.
        StoreError: the result cannot be stored.
        Cancelled: ``cancel`` was set. The run is not stored.
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
    """Returns the accuracy of a model on a sample of evaluation texts (the validation split, or the test split if there is none).

    If the data set has fewer than ``examples`` texts, all of them are used.
    """
    return evaluations.evaluate(model, dataset, examples, seed, progress, cancel)


# Texts


def datasets_for(model: str) -> list[str]:
    """The data sets on this machine that fit a model. The default data set comes first."""
    return datasets.on_this_machine(find_model(model).dataset)


def dense_starts(model: str) -> dict[str, str]:
    """The built-in models for the same data set, under the keys ``single`` (one fine-tuning) and ``soup``. Empty if ``model`` is not built in."""
    names = built_in_models()
    if model not in names:
        return {}
    cards = {name: model_card(name) for name in names}
    same = [name for name in names if cards[name]["dataset"] == cards[model]["dataset"]]
    return {"soup" if "ingredients" in cards[name] else "single": name for name in same}


def usual_dataset(model: str) -> str | None:
    """The name of the demo data set that fits a model, which its shipped runs use, or None."""
    return datasets.demo_for(find_model(model).dataset)


def bring_model(name: str, progress: Progress = silent, cancel: Cancel | None = None) -> brought.OwnModel:
    """Checks the user's own model (a folder or a hub id) by loading it, and remembers it in the store."""
    return brought.bring_model(name, progress, cancel)


def own_models() -> list[brought.OwnModel]:
    """The user's own models whose folders still exist."""
    return brought.models()


def own_datasets(model: str) -> list[brought.OwnData]:
    """The user's own data sets that have the classes of a model."""
    return brought.datasets(find_model(model))


def bring_data(model: str, shown: str, frame: "pd.DataFrame", text: str, label: str, classes: Mapping[str, int | None]) -> brought.OwnData:
    """Stores a table as a data set for a model. ``text`` and ``label`` are the names of its columns.

    ``classes`` maps every label value to a class of the model, or to None to leave its rows out.

    Raises:
        DataError: too few texts are left.
    """
    name = keep_table(shown, frame, text, label, classes)
    return brought.remember_data(name, shown, find_model(model).labels)


def largest_class(dataset: str) -> float:
    """The share of the most frequent label among a data set's evaluation texts: the accuracy of always predicting that label."""
    labels = datasets.load(dataset, "evaluation").labels
    return max(labels.count(label) for label in set(labels)) / len(labels)


def showcase(model: str) -> list[tuple[str, int]]:
    """The demo texts for showing an attack, each with its label. Empty if no demo data set fits the model."""
    demo = datasets.demo_for(find_model(model).dataset)
    texts = datasets.load(demo, "showcase") if demo else None
    return list(zip(texts.texts, texts.labels, strict=True)) if texts else []
