"""The user's own models and data sets. They are remembered in the store, so that a link finds them again on this machine."""

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
# A sentence that every model must be able to read.
SENTENCE = "A film that I would see again."


@dataclass(frozen=True)
class OwnModel:
    """A model of the user that was checked.

    Attributes:
        name: the model's folder, which every call accepts as a name. For a model from the hub it is the downloaded copy, so that later
            calls do not need the network.
        shown: the name that the user gave.
        labels: the model's class names.
    """

    name: str
    shown: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class OwnData:
    """A data set of the user.

    Attributes:
        name: the name that every call accepts.
        shown: the name for display, that of the file.
        labels: the names of the classes that its labels stand for.
    """

    name: str
    shown: str
    labels: tuple[str, ...]


def bring_model(name: str, progress: Progress, cancel: Cancel | None) -> OwnModel:
    """Loads a model once to check that it can be pruned, and remembers it in the store.

    Raises:
        ModelError: the model cannot be found, is not a classifier, has an unsupported architecture, pickled weights or its own code, or
            gives no finite probabilities.
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
    """Classifies one sentence. Raises ModelError if this fails or the probabilities are not finite."""
    from robustprune.models import inference

    try:
        fine = bool(inference.probabilities(classifier.model, classifier.tokenizer, [SENTENCE]).isfinite().all())
    except BaseException as error:  # parts that do not match can fail anywhere; a panic in Rust code is not an Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise ModelError("lab.model_cannot_read", name=name, why=error) from error
    if not fine:
        raise ModelError("lab.model_overflows", name=name)


def models() -> list[OwnModel]:
    """The user's own models whose folders still exist."""
    found = [own for entry in stores.store().entries(MODELS) if (own := understood(entry, lambda entry: _model(entry.document)))]
    return [own for own in found if Path(own.name).is_dir()]


def remember_data(name: str, shown: str, labels: tuple[str, ...]) -> OwnData:
    """Remembers a data set of the user. ``labels`` are the names of the classes that its labels were mapped to."""
    made = OwnData(name, shown, labels)
    stores.store().put(DATASETS, digest("own-data", name), asdict(made))
    return made


def datasets(source: ModelSource) -> list[OwnData]:
    """The user's own data sets that have the classes of a model."""
    found = [own for entry in stores.store().entries(DATASETS) if (own := understood(entry, lambda entry: _data(entry.document)))]
    return [own for own in found if own.labels == source.labels]


def _model(document: dict[str, Any]) -> OwnModel:
    return OwnModel(document["name"], document["shown"], tuple(document["labels"]))


def _data(document: dict[str, Any]) -> OwnData:
    return OwnData(document["name"], document["shown"], tuple(document["labels"]))
