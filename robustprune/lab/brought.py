"""What people brought along: models and data sets of their own, remembered in the store, so that a link finds them again on this machine."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from robustprune.base import stores
from robustprune.base.errors import ModelError
from robustprune.base.hashing import digest
from robustprune.base.messages import say
from robustprune.base.progress import Cancel, Progress, check_cancelled
from robustprune.base.store import understood
from robustprune.lab import models as lab_models
from robustprune.models.loading import Classifier
from robustprune.models.sources import ModelSource

MODELS, DATASETS = "own_models", "own_data"
# Any that a model must be able to read.
SENTENCE = "A film that I would see again."


@dataclass(frozen=True)
class OwnModel:
    """A model that was checked: its folder, which every call takes as a name; what it was called when it was brought; its classes.

    Of a model from the hub it is the downloaded copy, so that no later call asks the network.
    """

    name: str
    shown: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class OwnData:
    """A data set that was brought along: the name that every call takes, the name of the file it came in, and the classes that its labels mean."""

    name: str
    shown: str
    labels: tuple[str, ...]


def bring_model(name: str, progress: Progress, cancel: Cancel | None) -> OwnModel:
    """Loads a model once to see that it is one that can be pruned, and remembers it.

    Raises:
        ModelError: what it says: no classifier, another architecture, pickled weights, code of its own, not to be had.
    """
    name = name.strip()
    if not name:
        raise ModelError("lab.no_model_named")
    progress(0, 1, say("lab.looking_for_model"), None)
    source = lab_models.find_model(name)
    if len(source.labels) < 2:
        raise ModelError("lab.too_few_classes", name=name, count=len(source.labels))
    check_cancelled(cancel)
    progress(0, 1, say("lab.loading_model"), None)
    classifier = lab_models.load_model(name, progress, cancel)
    _try(classifier, name)
    made = OwnModel(str(source.folder) if source.folder else name, name, source.labels)
    stores.store().put(MODELS, digest("own-model", made.name), asdict(made))
    return made


def _try(classifier: Classifier, name: str) -> None:
    """Reads a sentence once. Raises ModelError if no probabilities come of it."""
    from robustprune.models import inference

    try:
        fine = bool(inference.probabilities(classifier.model, classifier.tokenizer, [SENTENCE]).isfinite().all())
    except BaseException as error:  # parts that do not belong together break wherever they meet; in what is written in Rust a panic is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise ModelError("lab.model_cannot_read", name=name, why=error) from error
    if not fine:
        raise ModelError("lab.model_overflows", name=name)


def models() -> list[OwnModel]:
    """The models that were brought along and are still there."""
    found = [own for entry in stores.store().entries(MODELS) if (own := understood(entry, lambda entry: _model(entry.document)))]
    return [own for own in found if Path(own.name).is_dir()]


def remember_data(name: str, shown: str, labels: tuple[str, ...]) -> OwnData:
    """Remembers a data set whose labels were mapped to these classes."""
    made = OwnData(name, shown, labels)
    stores.store().put(DATASETS, digest("own-data", name), asdict(made))
    return made


def datasets(source: ModelSource) -> list[OwnData]:
    """The data sets that were brought along for a model's classes."""
    found = [own for entry in stores.store().entries(DATASETS) if (own := understood(entry, lambda entry: _data(entry.document)))]
    return [own for own in found if own.labels == source.labels]


def _model(document: dict[str, Any]) -> OwnModel:
    return OwnModel(document["name"], document["shown"], tuple(document["labels"]))


def _data(document: dict[str, Any]) -> OwnData:
    return OwnData(document["name"], document["shown"], tuple(document["labels"]))
