"""Makes one baseline from its spec: trains and prunes alternately, measures the result, and writes it to a folder with a card."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.numpy import save_file
from transformers import PreTrainedModel

from robustprune.base.messages import say
from robustprune.base.progress import Cancel, Progress
from robustprune.models import adapters, backbone, inference
from robustprune.models.about import ABOUT
from robustprune.models.architectures import head_layers, linear_layers
from robustprune.models.masks import packed
from robustprune.specs.train import BaselineSpec
from robustprune.texts.datasets import Texts
from robustprune.training import baselines, card, finetune
from robustprune.training.baselines import MaskedAdapter
from robustprune.training.train import Start, TrainingTexts, accuracy, checkpoint, every_twentieth, measuring_accuracy


def retrain(
    dataset: str,
    folder: Path,
    name: str,
    start: Start,
    spec: BaselineSpec,
    command: str,
    device: str,
    progress: Progress,
    cancel: Cancel | None,
) -> dict[str, Any]:
    """Makes a baseline, writes it into ``folder``, and returns its card.

    If the baseline starts from a head, it writes an adapter and a mask, otherwise a whole model.

    Raises:
        Cancelled: ``cancel`` was set. The same call continues after the last finished step of the current round.
        DataError: the texts cannot be loaded, are too few, or do not fit the classes.
        ModelError: the loss or a weight is NaN or infinite.
    """
    whole = TrainingTexts.of(dataset, replace(spec.train, rows=None), start.labels)
    started, checkpoints = time.perf_counter(), []

    def texts(number: int) -> Texts:
        rows = spec.train.rows
        return whole.texts if rows is None else whole.texts.sample(rows, baselines.seed_of(spec, number))

    def checkpoint_of(number: int, part: Texts) -> Any:
        checkpoints.append(checkpoint(start.digest, part, spec.train, spec.to_json(), number))
        seconds.append(checkpoints[-1].seconds())
        return checkpoints[-1]

    def progress_of(number: int) -> Progress:
        return every_twentieth(progress, say("training.round", name=spec.name, number=number + 1, rounds=spec.rounds + 1), cancel)

    seconds: list[float] = []
    model = start.model.to(inference.device(device))
    trained = baselines.train(model, start.tokenizer, texts, spec, checkpoint_of, progress_of)
    model = model.cpu()
    _save(model, trained, start, spec.train.rank, dataset, folder)
    scores = accuracy(model, start.tokenizer, whole.evaluation, measuring_accuracy(progress, cancel))
    about = card.write_card(
        folder, name=name, train=whole.texts, held_out=whole.held_out, labels=start.labels, start=start.digest,
        settings={**spec.to_json(), "sparsity_reached": _sparsity(model)}, command=command, scores=scores,
        seconds=sum(seconds) + time.perf_counter() - started,
    )  # fmt: skip
    for one in checkpoints:
        one.remove()
    return about


def _save(model: PreTrainedModel, trained: dict[str, MaskedAdapter], start: Start, rank: int, dataset: str, folder: Path) -> None:
    """Writes the files of a finished baseline, and replaces the weights of the model by the masked weights."""
    if start.head:
        card.save_adapter(_as_adapter(model, trained, start.labels, rank), folder)
        save_file({name: packed(adapter.mask.bool()) for name, adapter in trained.items()}, folder / adapters.MASK)
    baselines.merge_masks(model)
    if not start.head:
        model.save_pretrained(folder)
        start.tokenizer.save_pretrained(folder)
        (folder / ABOUT).write_text(json.dumps({"dataset": dataset}) + "\n", encoding="utf-8")


def _as_adapter(model: PreTrainedModel, trained: dict[str, MaskedAdapter], labels: tuple[str, ...], rank: int) -> PeftModel:
    """Returns the trained adapters and the head as one peft adapter, the form in which adapters are shipped. It does not contain the mask."""
    plain = backbone.new_classifier(labels)
    names = {id(layer): name for name, layer in plain.named_modules()}
    places = {name: names[id(layer)] for name, layer in linear_layers(plain)}
    result = finetune.with_adapter(plain, rank)
    with torch.no_grad():
        for name, adapter in trained.items():
            layer = result.base_model.model.get_submodule(places[name])
            layer.lora_A["default"].weight.copy_(adapter.a)
            layer.lora_B["default"].weight.copy_(adapter.b)
        for name, layer in head_layers(model):
            module, _, rest = name.removeprefix("bert.").partition(".")
            copied = result.base_model.model.get_submodule(name[: name.index(module)] + module).modules_to_save["default"]
            (copied.get_submodule(rest) if rest else copied).load_state_dict(layer.state_dict())
    return result


def _sparsity(model: PreTrainedModel) -> float:
    """Returns the share of zeros over all linear layers of the encoder."""
    zeros, weights = zip(*((int((layer.weight == 0).sum()), layer.weight.numel()) for _, layer in linear_layers(model)), strict=True)
    return sum(zeros) / sum(weights)
