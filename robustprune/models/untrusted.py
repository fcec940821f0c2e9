"""Folders with whole models that others made: looked at before anything in them is loaded, and loaded with no trust in them.

Only safetensors are read and no code of theirs is run; they name no file outside of their folder and no other model, and ask for no more
memory than what they bring.
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

# The files that make a model: what is fetched, hashed and read.
READ = (
    "*.safetensors", "*.safetensors.index.json", "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt", "*.model",
)  # fmt: skip
# Settings by which transformers would read other files than those, or give a tokenizer arguments without names, which may be files.
ELSEWHERE = {
    "config.json": re.compile("transformers_weights|configuration_files"),
    "tokenizer_config.json": re.compile("fast_tokenizer_files|init_inputs|sp_model_kwargs"),
    "special_tokens_map.json": re.compile(".*_file|sp_model_kwargs"),
}
_WORDS = ("Bert", "DistilBert", "Roberta", "XLMRoberta", "Electra", "Albert", "Camembert", "MPNet")
TOKENIZERS = ("PreTrainedTokenizerFast", *(f"{kind}Tokenizer{fast}" for kind in _WORDS for fast in ("", "Fast")))
# Characters that may come of one: twice what the longest ligature of Unicode is written out to, in bytes.
MOST_GROWTH = 100
LONGEST_LABEL, MOST_CLASSES = 200, 1_000
# The weights of a compressed folder stand for up to eight times as many: a byte of a mask for eight.
PER_NUMBER = 8
# What no file holds: buffers, and weights that are tied to others.
FREE = 1_000_000
# What settings, cards and vocabularies end in, and how many bytes they may have: several times the largest in use. All is read into memory.
TEXTS, LARGEST_TEXT = (".json", ".txt", ".model", ".jinja"), 100_000_000


def load(folder: Path, kind: "type[_BaseAutoModelClass]") -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The model of that kind in a folder, for reading (evaluation mode, float32, attention that can be returned), and its tokenizer.

    Raises:
        ModelError: something in the folder is damaged or missing, or is not what ``check`` and ``check_loaded`` want.
    """
    check(folder, kind)
    try:
        model, report = kind.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False, local_files_only=True, attn_implementation="eager", output_loading_info=True
        )
    except Exception as error:  # transformers raises whatever its readers raise
        raise ModelError("models.model_cannot_load", folder=folder, why=error) from error
    if missing := sorted(report["missing_keys"])[:3]:
        raise ModelError("models.weights_missing", folder=folder, names=missing)
    model, tokenizer = model.float().eval().requires_grad_(False), load_tokenizer(folder)
    check_loaded(model, tokenizer, folder)
    return model, tokenizer


def from_hub(name: str) -> Path:
    """The folder into which a model of the hub was fetched. Raises ModelError if it is not to be had."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[*READ, "robustprune.json"]))
    except Exception as error:  # the hub's client raises many kinds; each means: not to be had
        raise ModelError("models.not_on_hub", name=name, kind=type(error).__name__) from error


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The tokenizer in a folder. Raises ModelError if it cannot be loaded."""
    from transformers import AutoTokenizer

    _check_tokenizer(folder)
    beside = _files_beside(folder)
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True, **beside)
    except BaseException as error:  # transformers raises whatever its readers raise; of those written in Rust a panic is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise ModelError("models.tokenizer_cannot_load", folder=folder, why=error) from error


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises ModelError if there is none, or it is larger than any that a model needs."""
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


def check(folder: Path, kind: "type[_BaseAutoModelClass]") -> None:
    """Looks at a folder that is to be loaded as a whole model of that kind.

    Raises:
        ModelError: what it names, or what its configuration asks for, is not what a folder of its own brings.
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
    """The files of a folder that make a model, sorted; a folder or a pipe of such a name is none.

    Raises:
        ModelError: settings or words there are larger than any: even to hash them would take long.
    """
    for path in [*folder.iterdir(), *folder.glob("additional_chat_templates/*")]:
        if path.is_file() and path.suffix in TEXTS:
            _check_text(path)
    return sorted({path for pattern in READ for path in folder.glob(pattern) if path.is_file()})


def is_plain(name: str) -> bool:
    """Whether a name is that of a file in the same folder."""
    return isinstance(name, str) and name == Path(name).name and name not in ("", ".", "..") and "\\" not in name


def check_loaded(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Looks at what was loaded. Raises ModelError if it holds NaN, or if the tokenizer knows words that the model does not."""
    bad = next((name for name, weight in model.state_dict().items() if weight.is_floating_point() and not weight.isfinite().all()), None)
    if bad:
        raise ModelError("models.model_not_finite", folder=folder, weight=bad)
    words, rows = len(tokenizer), model.get_input_embeddings().num_embeddings
    if words > rows:
        raise ModelError("models.tokenizer_too_large", folder=folder, words=words, rows=rows)


def is_label(label: Any) -> bool:
    """Whether this can be the name of a class."""
    return isinstance(label, str) and bool(label.strip()) and len(label) <= LONGEST_LABEL and label.isprintable()


def folder_of(name: str) -> Path | None:
    """The folder of that name; None if there is none, or it may not be looked at."""
    try:
        path = Path(name).expanduser()
        return path if path.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # too long, not allowed; nobody's home; a zero byte
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
    """Every file that a tokenizer's configuration names, by its argument: the one of that name in the folder, wherever it is said to be.

    As arguments they go before what the configuration says; without them transformers would read those files where it says that they are.
    """
    path = folder / "tokenizer_config.json"
    settings = read_json(path) if path.is_file() else {}
    named = {key: Path(str(value)).name for key, value in settings.items() if key.endswith("_file") and value}
    return {key: str(folder / name) if (folder / name).is_file() else None for key, name in named.items()}


def _check_tokenizer(folder: Path) -> None:
    """The kind of a tokenizer, some of which read files by settings of their own, and how far it lengthens a text before it is cut."""
    for name in ("tokenizer_config.json", "config.json"):
        kind = read_json(folder / name).get("tokenizer_class") if (folder / name).is_file() else None
        if kind and kind not in TOKENIZERS:
            raise ModelError("models.tokenizer_kind", path=folder / name, kind=kind, allowed=TOKENIZERS)
    path = folder / "tokenizer.json"
    if path.is_file() and _lengthens(read_json(path).get("normalizer")):
        raise ModelError("models.tokenizer_lengthens", path=path, most=MOST_GROWTH)


def _lengthens(normalizer: Any) -> bool:
    """Whether a tokenizer's normalizer can make more than ``MOST_GROWTH`` characters of one. Its steps multiply, and may hold others."""
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
    """How many characters one step makes of one, at most. A pattern that matches nothing puts its own beside every character."""
    if step.get("type") == "Precompiled":
        return _longest_precompiled(step.get("precompiled_charsmap"))
    pattern = step.get("pattern")
    beside = not (isinstance(pattern, dict) and pattern.get("String"))
    made = [len(value) for key in ("content", "prepend") if isinstance(value := step.get(key), str)]
    return max(made) + beside if made else 1


def _longest_precompiled(chars: Any) -> int:
    """The longest text in SentencePiece's table of characters: four bytes with the length of an index, the index, the texts with zeros between."""
    try:
        table = base64.b64decode(chars, validate=True)
    except (ValueError, TypeError):  # the tokenizer's own reader will say what is wrong
        return 1
    return max(map(len, table[4 + int.from_bytes(table[:4], "little") :].split(b"\0")))


def _check_size(folder: Path, kind: "type[_BaseAutoModelClass]") -> None:
    """The model of config.json, without weights, against the numbers in the files."""
    import torch
    from transformers import AutoConfig

    held = list(_sizes(folder))
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        layers = int(config.num_hidden_layers)
        asked = 0
        if layers <= len(held):  # each has several tensors; so many that none could be built, even without weights, are none
            with torch.device("meta"):
                asked = sum(weight.numel() for weight in kind.from_config(config, trust_remote_code=False).parameters())
    except Exception as error:  # transformers raises whatever its readers raise
        raise ModelError("models.config_no_model", folder=folder, why=error) from error
    if layers > len(held):
        raise ModelError("models.config_too_many_layers", folder=folder, layers=layers, tensors=len(held))
    if asked > PER_NUMBER * sum(held) + FREE:
        raise ModelError("models.config_too_many_weights", folder=folder, weights=asked, numbers=sum(held))


def _sizes(folder: Path) -> Iterator[int]:
    """How many numbers each tensor has, by the headers alone."""
    from safetensors import SafetensorError, safe_open

    for path in (path for path in files(folder) if path.suffix == ".safetensors"):
        try:
            with safe_open(path, framework="np") as file:
                for name in file.keys():  # noqa: SIM118, a safe_open is no dictionary
                    yield math.prod(file.get_slice(name).get_shape())
        except (SafetensorError, OSError, ValueError) as error:
            raise ModelError("models.weights_cannot_be_read", folder=folder, file=path.name, why=error) from error
