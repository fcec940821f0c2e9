"""Models that are small files beside the backbone: an adapter, with a mask where it was pruned while training; or an average of such.

A folder of this kind has ``card.json``, which names the SHA-256 of every other file and says how the model came about. What it stands for is
(backbone + adapter) ∘ mask, or the mean of the weights of the models that the card names under ``ingredients``.
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
# What the settings of an adapter of ours may be; all others are empty in every one.
SETTINGS: dict[str, Callable[[Any], bool]] = {
    "base_model_name_or_path": lambda value: True,  # the backbone is loaded whatever it says
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
# Which layers the adapters of the demo models are on: the same, said in another way.
DEMO_MODULES = r".*encoder\.layer\.\d+\..*\.(query|key|value|dense)"
ADAPTER, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
# Which weights of a pruned baseline are kept, packed to bits, in the form of pruning.export.
MASK = "mask.safetensors"


def is_ours(folder: Path) -> bool:
    """Whether a folder holds an adapter or an average with a card of ours, and no whole model."""
    return (folder / CARD).is_file() and ((folder / ADAPTER).is_file() or "ingredients" in read_json(folder / CARD))


def card(folder: Path) -> dict[str, Any]:
    """The card of a folder.

    Raises:
        ModelError: there is none, or it is damaged.
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
    """Raises ModelError unless every file that the card names is there and as it was."""
    for file, expected in card(folder)["sha256"].items():
        path = folder / file
        if not path.is_file() or hashing.of_file(path) != expected:
            raise ModelError("models.card_file_changed", name=folder.name, file=path.name, restore=_restore(folder))


def digest(folder: Path) -> str:
    """The identity of backbone and adapter together. Raises ModelError if a file is not what the card says."""
    check_files(folder)
    return hashing.of_parts([backbone.DIGEST, *card(folder)["sha256"].values()])


def load(folder: Path) -> "PreTrainedModel":
    """The model that an adapter's folder stands for."""
    from peft import PeftModel

    about = card(folder)
    if WEIGHTS not in about["sha256"]:  # peft would look for pickled ones, and on the hub
        raise ModelError("models.card_does_not_name", name=folder.name, file=WEIGHTS, restore=_restore(folder))
    for name, value in read_json(folder / ADAPTER).items():
        if value and not (name in SETTINGS and SETTINGS[name](value)):  # peft would open files, build layers of any size, search by any pattern
            raise ModelError("models.adapter_setting_wrong", folder=folder, setting=name, restore=_restore(folder))
    try:
        model = PeftModel.from_pretrained(backbone.new_classifier(tuple(about["labels"])), folder).merge_and_unload()
        if MASK in about["sha256"]:
            from robustprune.models import masks

            masks.apply_mask(model, folder / MASK)
    except Exception as error:  # peft raises whatever its readers raise
        raise ModelError("models.model_cannot_load", folder=folder, why=error) from error
    return model.eval()


def target_modules(family: Family) -> str:
    """The linear layers that an adapter is on, as peft takes them: those that pruning touches. A list would be written in another order every time."""
    layers = "|".join(re.escape(name) for group in family.groups for name in group)
    return rf".*{re.escape(family.blocks)}\.\d+\.({layers})"


def _restore(folder: Path) -> Message:
    return say("models.restore_folder", name=folder.name)
