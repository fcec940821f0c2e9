"""One training from its spec to its folder: a head, an adapter from that head, or a fine-tuned classifier of any kind."""

import copy
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from safetensors.torch import load_file

from robustprune.base import folders, hashing, logs, paths
from robustprune.base.errors import Cancelled, DataError, ModelError, SpecError
from robustprune.base.hashing import digest
from robustprune.base.rates import wilson
from robustprune.models import adapters, backbone, inference
from robustprune.models.about import ABOUT
from robustprune.models.loading import Classifier
from robustprune.specs.train import TrainSpec
from robustprune.texts import datasets
from robustprune.texts.datasets import Texts
from robustprune.training import card, finetune
from robustprune.training.checkpoint import Checkpoint
from robustprune.training.loop import Watch
from robustprune.training.split import split

# Raised whenever a change makes the same training go another way.
TRAINING_VERSION = 1
LABELS = {"sst2": ("negative", "positive"), "ag_news": ("World", "Sports", "Business", "Sci/Tech")}
Progress = Callable[[float, float, str, Any], None]


@dataclass(frozen=True)
class Given:
    """The texts of a training: those to train on, those that are kept from it (see :mod:`split`), and those it is measured on."""

    texts: Texts
    held_out: Texts
    evaluation: Texts

    @classmethod
    def of(cls, dataset: str, spec: TrainSpec, labels: tuple[str, ...]) -> Self:
        """The texts that a spec asks for. Raises DataError where they are not to be had, or do not fit the classes."""
        texts, held_out = split(datasets.load(dataset, "calibration"), spec.held_out)
        evaluation = datasets.load(dataset, "evaluation")
        for part in (texts, evaluation):
            part.check_labels(labels)
        return cls(texts if spec.rows is None else texts.sample(spec.rows, spec.seed), held_out, evaluation)


@dataclass(frozen=True)
class Start:
    """The weights that a training starts from, with their identity. ``head``: a trained head on the backbone, from which adapters ship."""

    model: torch.nn.Module
    tokenizer: Any
    labels: tuple[str, ...]
    digest: str
    head: bool

    @classmethod
    def from_head(cls, head: Path, dataset: str) -> Self:
        """The backbone with a trained head. Raises ModelError where there is none."""
        path = head / card.HEAD
        if not path.is_file():
            raise ModelError(f"There is no {card.HEAD} in {head}. Train a head first: python -m robustprune train --dataset {dataset} --out {head}")
        adapters.check_files(head)
        labels = tuple(adapters.card(head)["labels"])
        model = backbone.new_classifier(labels)
        model.load_state_dict(load_file(path), strict=False)
        return cls(model, backbone.tokenizer(), labels, hashing.of_parts([backbone.DIGEST, hashing.of_file(path)]), head=True)

    @classmethod
    def from_model(cls, classifier: Classifier) -> Self:
        """A copy of any classifier."""
        return cls(copy.deepcopy(classifier.model), classifier.tokenizer, classifier.source.labels, classifier.source.digest, head=False)


def train(
    dataset: str, out: Path, start: Start | None, spec: TrainSpec, command: str, device: str, progress: Progress, cancel: threading.Event | None
) -> dict[str, Any]:
    """Trains, measures on the evaluation texts, and writes to ``out``, whole or not at all. Returns the card.

    What is written: without a start the head of the backbone; an adapter where the start is such a head and the spec has a rank; else a
    folder that transformers loads.

    Raises:
        Cancelled: ``cancel`` was set; the same call goes on from there, but for a head, which takes minutes and starts again.
        DataError, ModelError, SpecError: what they say.
    """
    folders.check_is_replaceable(out, adapters.CARD)
    if start is None and (spec.optimiser != "adamw" or spec.freelb.steps or spec.precision != "float32" or not spec.rank):
        raise SpecError("A head is trained with AdamW in float32, plainly, and has no rank. Leave those settings out, or name a head or a model to start from.")
    place, labels = inference.device(device), start.labels if start else labels_of(dataset)
    given, started = Given.of(dataset, spec, labels), time.perf_counter()
    identity = start.digest if start else backbone.DIGEST
    kept = checkpoint(identity, given.texts, spec)
    before = kept.seconds()
    with logs.work("training", kept.path.stem):
        if start is None:
            model = finetune.train_head(given.texts, labels, spec, watch("head", progress, cancel))
        else:
            model = finetune.train_classifier(start.model.to(place), start.tokenizer, given.texts, spec, kept, watch("training", progress, cancel))

    def write(folder: Path) -> dict[str, Any]:
        trained = _save(model, start, spec, dataset, folder)
        tokenizer = start.tokenizer if start else backbone.tokenizer()
        scores = accuracy(trained, tokenizer, given.evaluation, lambda done, total: told(progress, cancel, done, total, "measuring accuracy"))
        seconds = before + time.perf_counter() - started
        settings = {**spec.to_json(), "rank": spec.rank if start else 0}
        return card.write_card(
            folder, name=out.name, train=given.texts, held_out=given.held_out, labels=labels, start=identity,
            settings=settings, command=command, scores=scores, seconds=seconds,
        )  # fmt: skip

    about = folders.replace_whole(out, adapters.CARD, write)
    kept.remove()
    return about


def labels_of(dataset: str) -> tuple[str, ...]:
    """The class names of a data set that heads are trained for. Raises DataError for another."""
    if dataset not in LABELS:
        raise DataError(f"A new head needs the names of the classes, which are known of {', '.join(LABELS)}, not of {dataset!r}. Name a model to start from.")
    return LABELS[dataset]


def checkpoint(start: str, texts: Texts, spec: TrainSpec, *more: Any) -> Checkpoint:
    """Where a training of that spec stands, if it was begun before."""
    return Checkpoint(paths.home() / "training" / f"{digest('train', start, texts.digest, spec.to_json(), TRAINING_VERSION, *more)}.safetensors")


def accuracy(model: torch.nn.Module, tokenizer: Any, texts: Texts, tick: Callable[[int, int], None]) -> dict[str, Any]:
    """The part of a card that says how often a model is right on texts, with the Wilson interval."""
    predicted = inference.logits(model, tokenizer, texts.texts, tick).argmax(-1)
    rate = wilson(int((predicted == torch.tensor(texts.labels)).sum()), len(texts))
    return {"split": texts.split, "examples": len(texts), "accuracy": rate.value, "accuracy_low": rate.low, "accuracy_high": rate.high}


def watch(what: str, progress: Progress, cancel: threading.Event | None) -> Watch:
    """What the loop tells at every step: told on every twentieth, and whether to stop is looked at on each."""

    def heard(step: int, steps: int, loss: float) -> None:
        check(cancel)
        if step % 20 == 0 or step == steps:
            progress(step, steps, f"{what}: step {step} of {steps}, loss {loss:.3f}", None)

    return heard


def check(cancel: threading.Event | None) -> None:
    """Raises Cancelled if the person wants to stop."""
    if cancel is not None and cancel.is_set():
        raise Cancelled("Cancelled. Asked for again, the training goes on from here.")


def told(progress: Progress, cancel: threading.Event | None, done: float, total: float, text: str) -> None:
    """Tells progress, unless the person wants to stop."""
    check(cancel)
    progress(done, total, text, None)


def _save(model: torch.nn.Module, start: Start | None, spec: TrainSpec, dataset: str, folder: Path) -> torch.nn.Module:
    """Writes what was trained; gives the plain model, on the CPU."""
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
