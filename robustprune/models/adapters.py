"""Models that are stored as small files and need the backbone: an adapter, which may have a mask, or an average of such models.

The folder of such a model has a ``card.json``, which holds the SHA-256 of every other file and describes how the model was made. The weights
of the model are (backbone + adapter) ∘ mask, or the mean of the weights of the models that the card names under ``ingredients``. A baseline
that was pruned during training has a mask.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustprune.base import hashing
from robustprune.base.errors import ModelError
from robustprune.base.messages import Message, say
from robustprune.models import backbone
from robustprune.models.architectures import FAMILIES, Family
from robustprune.models.untrusted import MOST_CLASSES, is_label, is_plain, read_json
from robustprune.specs.train import MAX_RANK

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CARD = "card.json"
# The allowed values of the settings of this project's adapters. All other settings must be empty.
SETTINGS: dict[str, Callable[[Any], bool]] = {
    "base_model_name_or_path": lambda value: True,  # ignored: the backbone is always loaded
    "bias": lambda value: value == "none",
    "inference_mode": lambda value: isinstance(value, bool),
    "init_lora_weights": lambda value: value is True,
    "lora_alpha": lambda value: isinstance(value, int) and 0 < value <= 2 * MAX_RANK,
    "lora_dropout": lambda value: isinstance(value, float) and 0 <= value < 1,
    "megatron_core": lambda value: value == "megatron.core",
    "modules_to_save": lambda value: isinstance(value, list) and {"classifier", "pooler"} <= set(map(str, value)) <= {"classifier", "pooler", "score"},
    "peft_type": lambda value: value == "LORA",
    "peft_version": lambda value: isinstance(value, str),
    "qalora_group_size": lambda value: isinstance(value, int),
    "r": lambda value: isinstance(value, int) and 0 < value <= MAX_RANK,
    "target_modules": lambda value: value in (target_modules(FAMILIES["bert"]), DEMO_MODULES),
    "task_type": lambda value: value == "SEQ_CLS",
}
# The pattern in the adapters of the demo models. It selects the same layers as :func:`target_modules`.
DEMO_MODULES = r".*encoder\.layer\.\d+\..*\.(query|key|value|dense)"
ADAPTER, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
# The file of a pruned baseline that marks the kept weights, one bit each, in the format of pruning.export.
MASK = "mask.safetensors"


def is_ours(folder: Path) -> bool:
    """True if a folder holds an adapter or an average with a card of this project, not a full model."""
    return (folder / CARD).is_file() and ((folder / ADAPTER).is_file() or "ingredients" in read_json(folder / CARD))


def card(folder: Path) -> dict[str, Any]:
    """Reads and checks the card of a folder.

    Raises:
        ModelError: the card is missing or damaged.
    """
    about = read_json(folder / CARD)
    if missing := {"sha256", "labels", "dataset"} - set(about):
        raise ModelError("models.card_lacks", name=folder.name, field=sorted(missing)[0], restore=_restore(folder))
    sums = about["sha256"]
    names = {"labels": about["labels"], "ingredients": about.get("ingredients", [])}
    wrong = [key for key, value in names.items() if not isinstance(value, list) or not all(isinstance(name, str) for name in value)]
    wrong += ["labels"] if not wrong and not (len(about["labels"]) <= MOST_CLASSES and all(map(is_label, about["labels"]))) else []
    wrong += [] if isinstance(about["dataset"], str | None) else ["dataset"]
    wrong += [] if isinstance(sums, dict) and all(isinstance(value, str) and is_plain(name) for name, value in sums.items()) else ["sha256"]
    if wrong:
        raise ModelError("models.card_field_wrong", name=folder.name, field=wrong[0], restore=_restore(folder))
    return about


def check_files(folder: Path) -> None:
    """Raises ModelError unless every file that the card names exists and has the SHA-256 in the card."""
    for file, expected in card(folder)["sha256"].items():
        path = folder / file
        if not path.is_file() or hashing.of_file(path) != expected:
            raise ModelError("models.card_file_changed", name=folder.name, file=path.name, restore=_restore(folder))


def digest(folder: Path) -> str:
    """A hash that identifies backbone and adapter together. Raises ModelError if :func:`check_files` does."""
    check_files(folder)
    return hashing.of_parts([backbone.DIGEST, *card(folder)["sha256"].values()])


def load(folder: Path) -> "PreTrainedModel":
    """Loads the model of a folder with an adapter: the backbone with the adapter merged and the mask, if there is one, applied.

    Raises:
        ModelError: the card or the settings of the adapter are not allowed, or the model cannot be loaded.
    """
    from peft import PeftModel

    about = card(folder)
    if WEIGHTS not in about["sha256"]:  # otherwise peft would look for pickled weights, and for weights on the hub
        raise ModelError("models.card_does_not_name", name=folder.name, file=WEIGHTS, restore=_restore(folder))
    for name, value in read_json(folder / ADAPTER).items():
        if value and not (name in SETTINGS and SETTINGS[name](value)):  # else peft could open files, build layers of any size, use any pattern
            raise ModelError("models.adapter_setting_wrong", folder=folder, setting=name, restore=_restore(folder))
    try:
        model = PeftModel.from_pretrained(backbone.new_classifier(tuple(about["labels"])), folder).merge_and_unload()
        if MASK in about["sha256"]:
            from robustprune.models import masks

            masks.apply_mask(model, folder / MASK)
    except Exception as error:  # peft passes on the errors of all its readers
        raise ModelError("models.model_cannot_load", folder=folder, why=error) from error
    return model.eval()


def target_modules(family: Family) -> str:
    """The regular expression by which peft finds the layers for an adapter: the linear layers that are also pruned.

    It is not a list, because peft writes a list in a different order every time.
    """
    layers = "|".join(re.escape(name) for group in family.groups for name in group)
    return rf".*{re.escape(family.blocks)}\.\d+\.({layers})"


def _restore(folder: Path) -> Message:
    return say("models.restore_folder", name=folder.name)
