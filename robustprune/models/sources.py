"""Finds classifiers by name: shipped models and averages of models, local folders, and models on the Hugging Face hub.

:func:`find` resolves a name and computes the digest of the model without loading torch. :func:`robustprune.models.loading.load` loads the
model. Only safetensors files are read, and code that comes with a checkpoint is never run.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustprune.base import hashing, paths
from robustprune.base.errors import ModelError
from robustprune.models import adapters, untrusted
from robustprune.models.architectures import FAMILIES

if TYPE_CHECKING:
    pass

SHIPPED = paths.ASSETS / "models"
INGREDIENTS, RETRAINED = SHIPPED / "ingredients", SHIPPED / "baselines"
# The prefixes in the names of averages of models, of stored runs, and of stored baselines.
MEAN, RUN, BASELINE = "mean:", "run:", "baseline:"
LARGEST_SHARE = 1e6
ARCHITECTURES = tuple(FAMILIES)
# The only weight file of a folder in the compressed format (robustprune.models.compressed).
COMPRESSED = "compressed.safetensors"


@dataclass(frozen=True)
class ModelSource:
    """The model that a name resolves to.

    Attributes:
        name: the name.
        folder: the folder of the model. None for an average, unless a card in a folder defines the average.
        digest: a SHA-256 over weights, configuration and tokenizer. Two sources with the same digest are the same model.
        labels: the names of the classes.
        dataset: the data set on the model's card, or None if the card names none.
        parts: for an average, the models and their shares, which add up to 1. Empty for every other model.
    """

    name: str
    folder: Path | None
    digest: str
    labels: tuple[str, ...]
    dataset: str | None
    parts: "tuple[tuple[ModelSource, float], ...]" = ()


def built_in() -> list[str]:
    """The names of the shipped dense models: for every data set a plainly fine-tuned model and a soup."""
    return _names(SHIPPED)


def ingredients() -> list[str]:
    """The names of the shipped soup ingredients."""
    return _names(INGREDIENTS)


def baselines() -> list[str]:
    """The names of the shipped baselines, which are pruned and retrained models."""
    return _names(RETRAINED)


def card(name: str) -> dict[str, Any]:
    """The card of a shipped model, or of a folder that has a card: data, settings, command and measured accuracy."""
    return adapters.card(shipped(name) or Path(name))


def find(name: str) -> ModelSource:
    """Resolves a name: ``mean:NAME+NAME`` for an average, the name of a shipped model, else a folder, else a hub id.

    Raises:
        ModelError: there is no such model, it is damaged, or its architecture or format is not supported.
    """
    if name.startswith(MEAN):
        return replace(find_average(_parse_average(name)), name=name)
    if place := shipped(name):
        return _find_card(name, place)
    if folder := untrusted.folder_of(name):
        return _find_card(name, folder) if adapters.is_ours(folder) else _find_folder(name, folder)
    if name.count("/") == 1 and not name.startswith((".", "~", "/")):
        return _find_folder(name, _from_hub(name))
    raise ModelError("models.no_such_model", name=name, allowed=", ".join(built_in()))


def find_average(shares: Mapping[str, float]) -> ModelSource:
    """The average of the weights of models, each with its share. The order of the models does not change the digest.

    Raises:
        ModelError: there are no models, a share is not positive or is too large, a model is a stored run or baseline, or the classes of the
            models differ.
    """
    if not shares or not all(0 < share < LARGEST_SHARE for share in shares.values()):
        raise ModelError("models.average_shares", most=LARGEST_SHARE, shares=dict(shares))
    whole = math.fsum(shares.values())
    if stored := [name for name in shares if name.startswith((RUN, BASELINE))]:
        raise ModelError("models.cannot_average_stored", name=stored[0])
    parts = tuple(sorted(((find(name), share / whole) for name, share in shares.items()), key=lambda part: part[0].digest))
    first = parts[0][0]
    for other, _ in parts[1:]:
        if other.labels != first.labels:
            raise ModelError("models.average_classes_differ", first=first.name, second=other.name, labels=first.labels, other_labels=other.labels)
    digest = first.digest if len(parts) == 1 else hashing.of_json(["mean", [[part.digest, share] for part, share in parts]])
    name = MEAN + "+".join(f"{name}*{share:g}" for name, share in shares.items())
    return ModelSource(name, None, digest, first.labels, first.dataset, parts=parts)


def check_architecture(model_type: str | None, name: str) -> None:
    """Raises ModelError, which names the supported architectures, if this architecture is not supported."""
    if model_type not in ARCHITECTURES:
        raise ModelError("models.architecture_not_known", name=name, model_type=model_type, allowed=ARCHITECTURES)


def shipped(name: str) -> Path | None:
    """The folder of a shipped model (dense model, ingredient or baseline), or None if no shipped model has that name."""
    places = (SHIPPED, INGREDIENTS, RETRAINED) if Path(name).name == name else ()
    return next((folder / name for folder in places if os.path.isfile(folder / name / adapters.CARD)), None)  # isfile is also False for too long a name


def _names(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.glob(f"*/{adapters.CARD}"))


def _find_card(name: str, folder: Path) -> ModelSource:
    """Resolves a folder with a card of this project, which holds an adapter or defines an average."""
    about = adapters.card(folder)
    if "ingredients" in about:
        folders = {one: shipped(one) or untrusted.folder_of(one) for one in about["ingredients"]}
        if mixed := [one for one, place in folders.items() if place and adapters.is_ours(place) and "ingredients" in adapters.card(place)]:
            raise ModelError("models.average_of_averages", name=name, ingredient=mixed[0])
        return replace(find_average(dict.fromkeys(about["ingredients"], 1.0)), name=name, folder=folder)
    return ModelSource(name, folder, adapters.digest(folder), tuple(about["labels"]), about["dataset"])


def _parse_average(name: str) -> dict[str, float]:
    """Parses a name such as ``mean:a+b*3`` into shares by name, here 1 for ``a`` and 3 for ``b``."""
    shares: dict[str, float] = {}
    for part in name.removeprefix(MEAN).split("+"):
        one, _, share = (word.strip() for word in part.partition("*"))
        if not one:
            raise ModelError("models.average_name_gap", name=name, mean=MEAN)
        try:
            shares[one] = shares.get(one, 0.0) + float(share or 1)
        except ValueError:
            raise ModelError("models.average_share_no_number", share=share, name=name, mean=MEAN) from None
    return shares


def _find_folder(name: str, folder: Path) -> ModelSource:
    config = untrusted.read_json(folder / "config.json")
    check_architecture(config.get("model_type"), name)
    if config.get("auto_map"):
        raise ModelError("models.own_code", name=name, allowed=ARCHITECTURES)
    files = untrusted.files(folder)
    if not any(path.suffix == ".safetensors" for path in files):
        raise ModelError("models.no_safetensors", folder=folder)
    digest = hashing.of_parts(part for path in files for part in (path.name, hashing.of_file(path)))
    labels = config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
    if not isinstance(labels, dict) or set(labels) != {str(number) for number in range(len(labels))} or not all(map(untrusted.is_label, labels.values())):
        raise ModelError("models.labels_damaged", path=folder / "config.json")
    about = untrusted.read_json(folder / "robustprune.json") if (folder / "robustprune.json").is_file() else {}
    if not isinstance(about.get("dataset"), str | None):
        raise ModelError("models.origin_damaged", path=folder / "robustprune.json")
    return ModelSource(name, folder, digest, tuple(labels[key] for key in sorted(labels, key=int)), about.get("dataset"))


def _from_hub(name: str) -> Path:
    try:
        return untrusted.from_hub(name)
    except ModelError as error:
        raise ModelError("models.not_from_hub_either", why=error, built_in=", ".join(built_in())) from error
