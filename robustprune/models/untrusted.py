"""Loads folders with full models that other people made, without trusting them. Every folder is checked before anything in it is loaded.

Only safetensors files are read, and code in the folder is never run. A folder is rejected if it names a file outside the folder or another
model, or if its configuration asks for more memory than its files justify.
"""

import base64
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustprune.base.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from transformers.models.auto.auto_factory import _BaseAutoModelClass

# The files that belong to a model. These files are fetched, hashed and read.
READ = (
    "*.safetensors", "*.safetensors.index.json", "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt", "*.model",
)  # fmt: skip
# Settings that are not allowed, by file. They make transformers read other files, or pass positional arguments to a tokenizer, which may
# name files.
ELSEWHERE = {
    "config.json": re.compile("transformers_weights|configuration_files"),
    "tokenizer_config.json": re.compile("fast_tokenizer_files|init_inputs|sp_model_kwargs"),
    "special_tokens_map.json": re.compile(".*_file|sp_model_kwargs"),
}
_WORDS = ("Bert", "DistilBert", "Roberta", "XLMRoberta", "Electra", "Albert", "Camembert", "MPNet")
TOKENIZERS = ("PreTrainedTokenizerFast", *(f"{kind}Tokenizer{fast}" for kind in _WORDS for fast in ("", "Fast")))
# The largest number of characters that a normalizer may make from one character: about three times the UTF-8 bytes that the longest Unicode
# ligature expands to.
MOST_GROWTH = 100
LONGEST_LABEL, MOST_CLASSES = 200, 1_000
# The largest number of weights per stored number. In a compressed folder, one byte of a mask stands for eight weights.
PER_NUMBER = 8
# The number of weights that a model may have beyond its files, for buffers and for weights that are tied to others.
FREE = 1_000_000
# The suffixes of settings, cards and vocabularies, and their largest size in bytes: several times the largest in use. Each file is read into
# memory as a whole.
TEXTS, LARGEST_TEXT = (".json", ".txt", ".model", ".jinja"), 100_000_000


def load(folder: Path, kind: "type[_BaseAutoModelClass]") -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Loads the model of class ``kind`` in a folder and its tokenizer, for inference: in evaluation mode, in float32, able to return attentions.

    Raises:
        ModelError: a file in the folder is damaged or missing, or ``check`` or ``check_loaded`` rejects the folder.
    """
    check_folder(folder, kind)
    try:
        model, report = kind.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False, local_files_only=True, attn_implementation="eager", output_loading_info=True
        )
    except Exception as error:  # transformers passes on the errors of all its readers
        raise ModelError("models.model_cannot_load", folder=folder, why=error) from error
    if missing := sorted(report["missing_keys"])[:3]:
        raise ModelError("models.weights_missing", folder=folder, names=missing)
    model, tokenizer = model.float().eval().requires_grad_(False), load_tokenizer(folder)
    check_loaded(model, tokenizer, folder)
    return model, tokenizer


def from_hub(name: str) -> Path:
    """Fetches a model from the hub and returns its local folder. Raises ModelError if the model is not available."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[*READ, "robustprune.json"]))
    except Exception as error:  # the hub's client raises many kinds; each means that the model is not available
        raise ModelError("models.not_on_hub", name=name, kind=type(error).__name__) from error


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """Loads the tokenizer in a folder. Raises ModelError if it is not allowed or cannot be loaded."""
    from transformers import AutoTokenizer

    _check_tokenizer(folder)
    beside = _files_beside(folder)
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True, **beside)
    except BaseException as error:  # transformers passes on the errors of all its readers; a panic in Rust code is not an Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise ModelError("models.tokenizer_cannot_load", folder=folder, why=error) from error


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises ModelError if the file is missing, damaged, not a JSON object, or larger than ``LARGEST_TEXT`` bytes."""
    if not path.is_file():
        raise ModelError("models.file_missing", file=path.name, folder=path.parent)
    _check_text(path)
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ModelError("models.file_damaged", path=path, why=error) from error
    if not isinstance(value, dict):
        raise ModelError("models.file_no_object", path=path)
    return value


def check_folder(folder: Path, kind: "type[_BaseAutoModelClass]") -> None:
    """Checks a folder before it is loaded as a full model of class ``kind``.

    Raises:
        ModelError: the folder names files elsewhere, holds only an adapter, or its configuration asks for more layers or weights than
            its files can hold.
    """
    for name, wrong in ELSEWHERE.items():
        about = read_json(folder / name) if (folder / name).is_file() else {}
        if leading := [key for key, value in about.items() if wrong.fullmatch(key) and value]:
            raise ModelError("models.leads_elsewhere", path=folder / name, field=leading[0])
    if (folder / "adapter_config.json").is_file():
        raise ModelError("models.adapter_alone", folder=folder)
    for index in folder.glob("*.index.json"):
        for name in _indexed(index):
            if not is_plain(name) or not name.endswith(".safetensors"):
                raise ModelError("models.index_leads_elsewhere", index=index, name=name)
    _check_size(folder, kind)


def files(folder: Path) -> list[Path]:
    """The files in a folder that belong to a model, sorted. Folders and pipes with matching names are left out.

    Raises:
        ModelError: a file of settings or vocabulary is larger than ``LARGEST_TEXT`` bytes. Even its hash would take long.
    """
    for path in [*folder.iterdir(), *folder.glob("additional_chat_templates/*")]:
        if path.is_file() and path.suffix in TEXTS:
            _check_text(path)
    return sorted({path for pattern in READ for path in folder.glob(pattern) if path.is_file()})


def is_plain(name: str) -> bool:
    """True if a name is a plain file name, which can only mean a file in the same folder."""
    return isinstance(name, str) and name == Path(name).name and name not in ("", ".", "..") and "\\" not in name


def check_loaded(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Checks a loaded model. Raises ModelError if a weight is NaN or infinite, or if the tokenizer has more words than the model has embeddings."""
    bad = next((name for name, weight in model.state_dict().items() if weight.is_floating_point() and not weight.isfinite().all()), None)
    if bad:
        raise ModelError("models.model_not_finite", folder=folder, weight=bad)
    words, rows = len(tokenizer), model.get_input_embeddings().num_embeddings
    if words > rows:
        raise ModelError("models.tokenizer_too_large", folder=folder, words=words, rows=rows)


def is_label(label: Any) -> bool:
    """True if the value can be the name of a class: a printable string that is not blank and not too long."""
    return isinstance(label, str) and bool(label.strip()) and len(label) <= LONGEST_LABEL and label.isprintable()


def folder_of(name: str) -> Path | None:
    """The folder with that path, or None if there is no such folder or it is not accessible."""
    try:
        path = Path(name).expanduser()
        return path if path.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # OSError: too long or not allowed; RuntimeError: unknown home folder; ValueError: a zero byte
        return None


def _check_text(path: Path) -> None:
    size = path.stat().st_size
    if size > LARGEST_TEXT:
        raise ModelError("models.text_file_too_large", path=path, size=size / 1000000.0, most=LARGEST_TEXT / 1000000.0)


def _indexed(index: Path) -> list[str]:
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict):
        raise ModelError("models.index_damaged", index=index)
    return list(places.values())


def _files_beside(folder: Path) -> dict[str, str | None]:
    """The files that a tokenizer's configuration names, as keyword arguments: for each, the file with the same name in the folder, or None.

    Keyword arguments override the configuration. Without them, transformers would read the files at the paths in the configuration.
    """
    path = folder / "tokenizer_config.json"
    settings = read_json(path) if path.is_file() else {}
    named = {key: Path(str(value)).name for key, value in settings.items() if key.endswith("_file") and value}
    return {key: str(folder / name) if (folder / name).is_file() else None for key, name in named.items()}


def _check_tokenizer(folder: Path) -> None:
    """Raises ModelError unless the class of the tokenizer is one of TOKENIZERS and its normalizer lengthens texts only within limits.

    Some other classes read files that their settings name. A normalizer runs before the text is truncated.
    """
    for name in ("tokenizer_config.json", "config.json"):
        kind = read_json(folder / name).get("tokenizer_class") if (folder / name).is_file() else None
        if kind and kind not in TOKENIZERS:
            raise ModelError("models.tokenizer_kind", path=folder / name, kind=kind, allowed=TOKENIZERS)
    path = folder / "tokenizer.json"
    if path.is_file() and _lengthens(read_json(path).get("normalizer")):
        raise ModelError("models.tokenizer_lengthens", path=path, most=MOST_GROWTH)


def _lengthens(normalizer: Any) -> bool:
    """True if a normalizer can make more than ``MOST_GROWTH`` characters from one. The growth of its steps multiplies; steps may be nested."""
    growth, steps = 1, [normalizer]
    while steps and growth <= MOST_GROWTH:
        step = steps.pop()
        if isinstance(step, list):
            steps += step
        elif isinstance(step, dict):
            steps.append(step.get("normalizers"))
            growth *= max(1, _longest_made(step))
    return growth > MOST_GROWTH


def _longest_made(step: dict[str, Any]) -> int:
    """The largest number of characters that one step of a normalizer makes from one character.

    A pattern that can match the empty string inserts its content beside every character, so the character itself counts too.
    """
    if step.get("type") == "Precompiled":
        return _longest_precompiled(step.get("precompiled_charsmap"))
    pattern = step.get("pattern")
    beside = not (isinstance(pattern, dict) and pattern.get("String"))
    made = [len(value) for key in ("content", "prepend") if isinstance(value := step.get(key), str)]
    return max(made) + beside if made else 1


def _longest_precompiled(chars: Any) -> int:
    """The length in bytes of the longest text in SentencePiece's table of character replacements.

    The table has four bytes with the length of an index, then the index, then the texts, separated by zero bytes.
    """
    try:
        table = base64.b64decode(chars, validate=True)
    except (ValueError, TypeError):  # the reader of the tokenizer will report this error
        return 1
    return max(map(len, table[4 + int.from_bytes(table[:4], "little") :].split(b"\0")))


def _check_size(folder: Path, kind: "type[_BaseAutoModelClass]") -> None:
    """Raises ModelError if the model of config.json, built without weights, has many more weights than the files hold, or more layers than tensors."""
    import torch
    from transformers import AutoConfig

    held = list(_sizes(folder))
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        layers = int(config.num_hidden_layers)
        asked = 0
        if layers <= len(held):  # every layer has several tensors; building too many layers takes too long even without weights
            with torch.device("meta"):
                asked = sum(weight.numel() for weight in kind.from_config(config, trust_remote_code=False).parameters())
    except Exception as error:  # transformers passes on the errors of all its readers
        raise ModelError("models.config_no_model", folder=folder, why=error) from error
    if layers > len(held):
        raise ModelError("models.config_too_many_layers", folder=folder, layers=layers, tensors=len(held))
    if asked > PER_NUMBER * sum(held) + FREE:
        raise ModelError("models.config_too_many_weights", folder=folder, weights=asked, numbers=sum(held))


def _sizes(folder: Path) -> Iterator[int]:
    """Yields the number of elements of each tensor in a folder, read from the headers of the files only."""
    from safetensors import SafetensorError, safe_open

    for path in (path for path in files(folder) if path.suffix == ".safetensors"):
        try:
            with safe_open(path, framework="np") as file:
                for name in file.keys():  # noqa: SIM118, a safe_open object has keys() but cannot be iterated
                    yield math.prod(file.get_slice(name).get_shape())
        except (SafetensorError, OSError, ValueError) as error:
            raise ModelError("models.weights_cannot_be_read", folder=folder, file=path.name, why=error) from error
