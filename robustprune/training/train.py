"""Makes one training from its spec to its folder: a head, an adapter that starts from a head, or a fine-tuned classifier of any kind."""

import copy
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from safetensors.torch import load_file

from robustprune.base import folders, hashing, logs, paths
from robustprune.base.errors import DataError, ModelError, SpecError
from robustprune.base.hashing import digest
from robustprune.base.messages import Message, say
from robustprune.base.progress import Cancel, Count, Progress, check_cancelled
from robustprune.models import adapters, backbone, inference
from robustprune.models.about import ABOUT
from robustprune.models.loading import Classifier
from robustprune.specs.train import TrainSpec
from robustprune.texts import datasets
from robustprune.texts.datasets import Texts
from robustprune.training import card, finetune
from robustprune.training.checkpoint import Checkpoint
from robustprune.training.split import split

# Increased whenever a change gives other results for the same training.
TRAINING_VERSION = 1
# The message of a training that is cancelled: it says that the training can be continued.
CANCELLED = "training.cancelled"
LABELS = {"sst2": ("negative", "positive"), "ag_news": ("World", "Sports", "Business", "Sci/Tech")}


@dataclass(frozen=True)
class TrainingTexts:
    """The texts of a training: the texts to train on, the held-out texts (see :mod:`split`), and the texts for measuring_accuracy the accuracy."""

    texts: Texts
    held_out: Texts
    evaluation: Texts

    @classmethod
    def of(cls, dataset: str, spec: TrainSpec, labels: tuple[str, ...]) -> Self:
        """Returns the texts that a spec asks for. Raises DataError if they cannot be loaded, are too few, or do not fit the classes."""
        texts, held_out = split(datasets.load(dataset, "calibration"), spec.held_out)
        evaluation = datasets.load(dataset, "evaluation")
        for part in (texts, evaluation):
            part.check_labels(labels)
        return cls(texts if spec.rows is None else texts.sample(spec.rows, spec.seed), held_out, evaluation)


@dataclass(frozen=True)
class Start:
    """The model that a training starts from. ``digest`` is the identity of its weights.

    ``head`` is True if the model is the backbone with a trained head. Shipped adapters start from such a model.
    """

    model: torch.nn.Module
    tokenizer: Any
    labels: tuple[str, ...]
    digest: str
    head: bool

    @classmethod
    def from_head(cls, head: Path, dataset: str) -> Self:
        """Returns the backbone with the trained head in the folder ``head``. Raises ModelError if the head is missing or damaged."""
        path = head / card.HEAD
        if not path.is_file():
            raise ModelError("training.no_head", file=card.HEAD, folder=head, dataset=dataset)
        adapters.check_files(head)
        labels = tuple(adapters.card(head)["labels"])
        model = backbone.new_classifier(labels)
        model.load_state_dict(load_file(path), strict=False)
        return cls(model, backbone.tokenizer(), labels, hashing.of_parts([backbone.DIGEST, hashing.of_file(path)]), head=True)

    @classmethod
    def from_model(cls, classifier: Classifier) -> Self:
        """Returns a start with a copy of any classifier."""
        return cls(copy.deepcopy(classifier.model), classifier.tokenizer, classifier.source.labels, classifier.source.digest, head=False)


def train(
    dataset: str, out: Path, start: Start | None, spec: TrainSpec, command: str, device: str, progress: Progress, cancel: Cancel | None
) -> dict[str, Any]:
    """Trains a model, measures its accuracy on the evaluation texts, and writes it to ``out``. Returns the card.

    The folder ``out`` is written completely or not at all. It holds the head of the backbone if ``start`` is None. It holds an adapter if
    ``start`` is a trained head and the spec has a rank. Otherwise it is a folder that transformers can load.

    Raises:
        Cancelled: ``cancel`` was set. The same call continues where the training stopped. Only the training of a head, which takes
            minutes, starts again.
        DataError: the classes of the data set are unknown, or the texts cannot be loaded, are too few, or do not fit the classes.
        ModelError: ``out`` holds other files, or the loss or a weight is NaN or infinite.
        SpecError: the spec has settings that the training of a head does not support, or the device does not exist.
    """
    folders.check_is_replaceable(out, adapters.CARD)
    if start is None and (spec.optimiser != "adamw" or spec.freelb.steps or spec.precision != "float32" or not spec.rank):
        raise SpecError("training.head_settings")
    place, labels = inference.device(device), start.labels if start else labels_of(dataset)
    given, started = TrainingTexts.of(dataset, spec, labels), time.perf_counter()
    identity = start.digest if start else backbone.DIGEST
    saved = checkpoint(identity, given.texts, spec)
    before = saved.seconds()
    with logs.work("training", saved.path.stem):
        if start is None:
            model = finetune.train_head(given.texts, labels, spec, every_twentieth(progress, say("training.head"), cancel))
        else:
            model = finetune.train_classifier(
                start.model.to(place), start.tokenizer, given.texts, spec, saved, every_twentieth(progress, say("training.training"), cancel)
            )

    def write(folder: Path) -> dict[str, Any]:
        trained = _save(model, start, spec, dataset, folder)
        tokenizer = start.tokenizer if start else backbone.tokenizer()
        scores = accuracy(trained, tokenizer, given.evaluation, measuring_accuracy(progress, cancel))
        seconds = before + time.perf_counter() - started
        settings = {**spec.to_json(), "rank": spec.rank if start else 0}
        return card.write_card(
            folder, name=out.name, train=given.texts, held_out=given.held_out, labels=labels, start=identity,
            settings=settings, command=command, scores=scores, seconds=seconds,
        )  # fmt: skip

    about = folders.replace_whole(out, adapters.CARD, write)
    saved.remove()
    return about


def labels_of(dataset: str) -> tuple[str, ...]:
    """Returns the class names of a data set. Raises DataError if no head can be trained for the data set, because its classes are unknown."""
    if dataset not in LABELS:
        raise DataError("training.classes_not_known", allowed=LABELS, dataset=dataset)
    return LABELS[dataset]


def checkpoint(start: str, texts: Texts, spec: TrainSpec, *more: Any) -> Checkpoint:
    """Returns the checkpoint of a training. It holds a state if the same training was begun before.

    A training is identified by its start, texts and spec, and by the values in ``more``.
    """
    return Checkpoint(paths.home() / "training" / f"{digest('train', start, texts.digest, spec.to_json(), TRAINING_VERSION, *more)}.safetensors")


def accuracy(model: torch.nn.Module, tokenizer: Any, texts: Texts, progress: Count) -> dict[str, Any]:
    """Returns the part of a card that gives the accuracy of a model on texts, with its Wilson interval."""
    rate = inference.accuracy(model, tokenizer, texts.texts, texts.labels, progress)
    return {"split": texts.split, "examples": len(texts), **rate.flat("accuracy")}


def every_twentieth(progress: Progress, what: Message, cancel: Cancel | None) -> Progress:
    """Returns a progress for the training loop, which reports every step.

    It passes on every twentieth step and the last one, and it raises Cancelled at any step if ``cancel`` is set.
    """

    def wrapped(step: float, steps: float, doing: Message | str, _: Any = None) -> None:
        check_cancelled(cancel, CANCELLED)
        if step % 20 == 0 or step == steps:
            progress(step, steps, say("base.part", what=what, doing=doing), None)

    return wrapped


def measuring_accuracy(progress: Progress, cancel: Cancel | None) -> Count:
    """Returns a callback that reports that the accuracy is being measured. It raises Cancelled if ``cancel`` is set."""

    def wrapped(done: int, total: int) -> None:
        check_cancelled(cancel, CANCELLED)
        progress(done, total, say("training.measuring"), None)

    return wrapped


def _save(model: torch.nn.Module, start: Start | None, spec: TrainSpec, dataset: str, folder: Path) -> torch.nn.Module:
    """Writes the trained weights. Returns the model without an adapter, on the CPU."""
    model = model.cpu()
    if start is None:
        card.save_head(model, folder)
    elif spec.rank:
        if start.head:
            card.save_adapter(model, folder)
        model = model.merge_and_unload()
    if start and not (start.head and spec.rank):
        model.save_pretrained(folder)
        start.tokenizer.save_pretrained(folder)
        (folder / ABOUT).write_text(json.dumps({"dataset": dataset}) + "\n", encoding="utf-8")
    return model.eval()
