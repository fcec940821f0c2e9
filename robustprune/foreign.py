"""Folders with models that others made, looked at before anything in them is loaded.

That only safetensors are read and that no code of theirs is run is seen to where they are loaded; here: that they name no file outside
of their folder and no other model, and that they ask for no more memory than what they bring.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from robustprune.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# The weights of a compressed folder stand for up to eight times as many: a byte of a mask for eight.
PER_NUMBER = 8
# What no file holds: buffers, and weights that are tied to others.
FREE = 1_000_000


def check(folder: Path) -> None:
    """Looks at a folder that is to be loaded as a whole model.

    Raises:
        ModelError: what it names, or what its configuration asks for, is not what a folder of its own brings.
    """
    if (folder / "adapter_config.json").is_file():
        raise ModelError(f"The folder {folder} is an adapter to another model. Merge it into that model and save the whole.")
    for index in folder.glob("*.index.json"):
        for name in _indexed(index):
            if not is_plain(name) or not name.endswith(".safetensors"):
                raise ModelError(f"{index} names the file {name!r}; only .safetensors files beside it are read. Save the model again.")
    _check_size(folder)


def is_plain(name: str) -> bool:
    """Whether a name is that of a file in the same folder."""
    return isinstance(name, str) and name == Path(name).name and name not in ("", ".", "..") and "\\" not in name


def check_loaded(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Looks at what was loaded. Raises ModelError if it holds NaN, or if the tokenizer knows words that the model does not."""
    bad = next((name for name, weight in model.state_dict().items() if weight.is_floating_point() and not weight.isfinite().all()), None)
    if bad:
        raise ModelError(f"The model in {folder} holds NaN or infinite numbers in {bad}. Train or save it again.")
    words, rows = len(tokenizer), model.get_input_embeddings().num_embeddings
    if words > rows:
        raise ModelError(f"The tokenizer in {folder} knows {words:,} words, but the model has embeddings for {rows:,}. Save the two that belong together.")


def _indexed(index: Path) -> list[str]:
    try:
        return list(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{index} is damaged: it does not say which weights are in which file.") from error


def _check_size(folder: Path) -> None:
    """The model of config.json, without weights, against the numbers in the files."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    held = list(_sizes(folder))
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        layers = int(config.num_hidden_layers)
        asked = 0
        if layers <= len(held):  # each has several tensors; so many that none could be built, even without weights, are none
            with torch.device("meta"):
                asked = sum(weight.numel() for weight in AutoModelForSequenceClassification.from_config(config).parameters())
    except Exception as error:  # transformers raises whatever its readers raise
        raise ModelError(f"config.json in {folder} describes no model that can be made: {error}") from error
    if layers > len(held):
        raise ModelError(f"config.json in {folder} describes {layers:,} layers, but its files hold only {len(held):,} tensors. Save the model again.")
    if asked > PER_NUMBER * sum(held) + FREE:
        raise ModelError(f"config.json in {folder} describes {asked:,} weights, but its files hold only {sum(held):,} numbers. Save the model again.")


def _sizes(folder: Path) -> Iterator[int]:
    """How many numbers each tensor has, by the headers alone."""
    from safetensors import SafetensorError, safe_open

    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="np") as file:
                for name in file.keys():  # noqa: SIM118, a safe_open is no dictionary
                    yield math.prod(file.get_slice(name).get_shape())
        except (SafetensorError, OSError, ValueError) as error:
            raise ModelError(f"The model in {folder} cannot be loaded: {path.name} cannot be read: {error}") from error
