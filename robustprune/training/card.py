"""Writes the results of a training: small files of weights, and a card that describes how they were made."""

import json
import platform
import time
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import save_file
from transformers import PreTrainedModel

from robustprune.base import hashing
from robustprune.models import adapters, backbone
from robustprune.texts.datasets import Texts
from robustprune.training.finetune import HEAD_MODULES

HEAD = "head.safetensors"


def save_head(model: PreTrainedModel, folder: Path) -> None:
    """Writes the weights of the pooler and the classifier into ``folder``."""
    weights = {key: value.contiguous() for key, value in model.state_dict().items() if key.startswith(HEAD_MODULES)}
    save_file(weights, folder / HEAD)


def save_adapter(model: PeftModel, folder: Path) -> None:
    """Writes the adapter in peft's format, without peft's empty model card and without any path of this machine."""
    config = model.peft_config["default"]
    config.base_model_name_or_path = backbone.HUB_ID
    model.save_pretrained(folder, save_embedding_layers=False)  # otherwise peft asks the hub for the vocabulary size of the backbone
    (folder / "README.md").unlink(missing_ok=True)


def write_card(
    folder: Path,
    *,
    name: str,
    train: Texts,
    held_out: Texts,
    labels: tuple[str, ...],
    start: str,
    settings: dict[str, Any],
    command: str,
    scores: dict[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """Writes ``card.json`` and returns its content: data, start, settings, command and accuracy of a training, and the SHA-256 of its files.

    ``held_out`` are the training texts that were not trained on. ``start`` is the identity of the weights that the training started from.
    """
    about = {
        "name": name,
        "dataset": train.dataset,
        "labels": list(labels),
        "backbone": backbone.HUB_ID,
        "start": start,
        "command": command,
        "training": {
            "split": train.split,
            "rows": len(train),
            "texts_sha256": train.digest,
            "held_out": {"rows": len(held_out), "texts_sha256": held_out.digest},
        },
        "settings": settings,
        "scores": scores,
        "seconds": round(seconds),
        "made": time.strftime("%Y-%m-%d", time.gmtime()),
        "versions": versions(),
        "sha256": {path.name: hashing.of_file(path) for path in sorted(folder.glob("*.*")) if path.suffix in (".safetensors", ".json")},
    }
    write(folder, about)
    return about


def write(folder: Path, about: dict[str, Any]) -> None:
    """Writes a card into the folder that it describes."""
    (folder / adapters.CARD).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """Returns the versions of the software that the trained weights depend on."""
    from robustprune import __version__

    return {"robustprune": __version__, "torch": torch.__version__.split("+")[0], "python": platform.python_version()}
