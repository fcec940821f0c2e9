"""Models that are small files beside the backbone: an adapter, with a mask where it was pruned while training; or an average of such.

A folder of this kind has ``card.json``, which names the SHA-256 of every other file and says how the model came about. What it stands for is
(backbone + adapter) ∘ mask, or the mean of the weights of the models that the card names under ``ingredients``.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustprune import backbone, hashing
from robustprune.errors import ModelError
from robustprune.foreign import is_plain, read_json

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CARD = "card.json"
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
        raise ModelError(f"The model {folder.name!r} is damaged: its card lacks {sorted(missing)[0]!r}. {_restore(folder)}")
    sums = about["sha256"]
    names = {"labels": about["labels"], "ingredients": about.get("ingredients", [])}
    wrong = [key for key, value in names.items() if not isinstance(value, list) or not all(isinstance(name, str) for name in value)]
    wrong += [] if isinstance(about["dataset"], str | None) else ["dataset"]
    wrong += [] if isinstance(sums, dict) and all(isinstance(value, str) and is_plain(name) for name, value in sums.items()) else ["sha256"]
    if wrong:
        raise ModelError(f"The model {folder.name!r} is damaged: {wrong[0]!r} on its card cannot be read. {_restore(folder)}")
    return about


def check_files(folder: Path) -> None:
    """Raises ModelError unless every file that the card names is there and as it was."""
    for file, expected in card(folder)["sha256"].items():
        path = folder / file
        if not path.is_file() or hashing.of_file(path) != expected:
            raise ModelError(f"The model {folder.name!r} is damaged: {path.name} is missing or not the file that its card names. {_restore(folder)}")


def digest(folder: Path) -> str:
    """The identity of backbone and adapter together. Raises ModelError if a file is not what the card says."""
    check_files(folder)
    return hashing.of_parts([backbone.DIGEST, *card(folder)["sha256"].values()])


def load(folder: Path) -> "PreTrainedModel":
    """The model that an adapter's folder stands for."""
    from peft import PeftModel

    about = card(folder)
    if WEIGHTS not in about["sha256"]:  # peft would look for pickled ones, and on the hub
        raise ModelError(f"The model {folder.name!r} is damaged: its card does not name {WEIGHTS}. {_restore(folder)}")
    try:
        model = PeftModel.from_pretrained(backbone.new_classifier(tuple(about["labels"])), folder).merge_and_unload()
        if MASK in about["sha256"]:
            from robustprune.pruning import export

            export.apply_mask(model, folder / MASK)
    except Exception as error:  # peft raises whatever its readers raise
        raise ModelError(f"The model in {folder} cannot be loaded: {error}") from error
    return model.eval()


def _restore(folder: Path) -> str:
    return f"Restore the folder {folder.name} from the repository, or train it again."
