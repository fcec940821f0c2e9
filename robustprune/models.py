"""Where classifiers come from: the demo models that ship, a local folder, or the hub.

:func:`find` says what a name means and gives its identity without loading torch; :func:`load` makes the model.
Only safetensors are read, and no code that comes with a checkpoint is ever run.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustprune import backbone, hashing, paths
from robustprune.errors import ModelError
from robustprune.pruning.blocks import FAMILIES

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MODELS = paths.ASSETS / "models"
ARCHITECTURES = tuple(FAMILIES)
# The one weight file of a folder in the compressed format (robustprune.pruning.compressed).
COMPRESSED = "compressed.safetensors"
HASHED = ("*.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt", "*.model")


@dataclass(frozen=True)
class ModelSource:
    """What a model's name resolved to.

    ``digest`` is the SHA-256 over weights, configuration and tokenizer: two sources with the same digest are the same model.
    ``dataset`` is the data set on the model's card, if it names one.
    """

    name: str
    folder: Path
    digest: str
    labels: tuple[str, ...]
    dataset: str | None
    built_in: bool


@dataclass(frozen=True)
class Classifier:
    """A loaded model with its tokenizer. Shared between all who use it, so never changed in place."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    source: ModelSource


def built_in() -> list[str]:
    """Names of the models that ship."""
    return sorted(path.parent.name for path in MODELS.glob("*/card.json"))


def card(name: str) -> dict[str, Any]:
    """The card of a model that ships: data, settings, command and measured accuracy."""
    return _read_json(MODELS / name / "card.json")


def find(name: str) -> ModelSource:
    """What ``name`` means: a built-in model, else a folder, else a hub id.

    Raises:
        ModelError: nothing there, damaged, or of a kind that is not supported.
    """
    if name in built_in():
        return _find_built_in(name)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _find_folder(name, folder)
    if name.count("/") == 1 and not name.startswith((".", "~", "/")):
        return _find_folder(name, _from_hub(name))
    raise ModelError(f"No model is called {name!r}. Allowed are: {', '.join(built_in())}, a folder with a saved classifier, or a hub id such as user/name.")


def load(source: ModelSource) -> Classifier:
    """Loads a classifier for reading: evaluation mode, float32, attention that can be returned.

    Raises:
        ModelError: the weights are missing, damaged, or not safetensors.
    """
    return _load_built_in(source) if source.built_in else _load_folder(source)


def new_on_backbone(labels: tuple[str, ...]) -> "PreTrainedModel":
    """MiniLM with a classifier of fresh weights, which is where the training of a built-in model starts."""
    from safetensors.torch import load_file
    from transformers import BertForSequenceClassification

    model = BertForSequenceClassification(_backbone_config(labels))
    weights = {f"bert.{key}": value for key, value in load_file(backbone.folder() / "model.safetensors").items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    if set(missing) != {"classifier.weight", "classifier.bias"} or set(unexpected) - {"bert.embeddings.position_ids"}:
        raise ModelError(f"The backbone's weights do not fit: missing {missing}, unexpected {unexpected}. Reinstall {backbone.PACKAGE}.")
    return model.eval()


def backbone_tokenizer() -> "PreTrainedTokenizerBase":
    """MiniLM's tokenizer, made from its checked vocabulary."""
    from transformers import BertTokenizerFast

    return BertTokenizerFast(vocab_file=str(backbone.folder() / "vocab.txt"), do_lower_case=True, model_max_length=512)


def check_architecture(model_type: str | None, name: str) -> None:
    """Raises ModelError, naming what works, if the engine does not know this architecture."""
    if model_type not in ARCHITECTURES:
        raise ModelError(f"The model {name!r} is of the architecture {model_type!r}; those that can be pruned are: {', '.join(ARCHITECTURES)}.")


def _backbone_config(labels: tuple[str, ...]) -> Any:
    from transformers import BertConfig

    return BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
        id2label=dict(enumerate(labels)), label2id={label: i for i, label in enumerate(labels)},
        attn_implementation="eager",
    )  # fmt: skip


def _find_built_in(name: str) -> ModelSource:
    folder = MODELS / name
    about = _read_json(folder / "card.json")
    if missing := {"sha256", "labels", "dataset"} - set(about):
        raise ModelError(
            f"The built-in model {name!r} is damaged: its card lacks {sorted(missing)[0]!r}. Restore the folder assets/models/{name} from the repository."
        )
    for file, expected in about["sha256"].items():
        path = folder / file
        if not path.is_file() or hashing.of_file(path) != expected:
            raise ModelError(
                f"The built-in model {name!r} is damaged: {path.name} is missing or not the file that its card names. "
                f"Restore the folder assets/models/{name} from the repository."
            )
    digest = hashing.of_parts([backbone.DIGEST, *about["sha256"].values()])
    return ModelSource(name, folder, digest, tuple(about["labels"]), about["dataset"], built_in=True)


def _load_built_in(source: ModelSource) -> Classifier:
    from peft import PeftModel

    model = PeftModel.from_pretrained(new_on_backbone(source.labels), source.folder).merge_and_unload()
    return Classifier(model.eval().requires_grad_(False), backbone_tokenizer(), source)


def _find_folder(name: str, folder: Path) -> ModelSource:
    config = _read_json(folder / "config.json")
    check_architecture(config.get("model_type"), name)
    if config.get("auto_map"):
        raise ModelError(f"The model {name!r} brings its own code, which is never run here. Save it as one of: {', '.join(ARCHITECTURES)}.")
    if not list(folder.glob("*.safetensors")):
        raise ModelError(f"The folder {folder} holds no .safetensors file; pickled weights are refused. Save the model with safe_serialization=True.")
    files = sorted({path for pattern in HASHED for path in folder.glob(pattern)})
    digest = hashing.of_parts(part for path in files for part in (path.name, hashing.of_file(path)))
    labels = config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
    if not isinstance(labels, dict) or not all(str(key).isdigit() for key in labels):
        raise ModelError(f"{folder / 'config.json'} is damaged: id2label must map the numbers of the classes to their names.")
    about = _read_json(folder / "robustprune.json") if (folder / "robustprune.json").is_file() else {}
    return ModelSource(name, folder, digest, tuple(labels[key] for key in sorted(labels, key=int)), about.get("dataset"), built_in=False)


def _load_folder(source: ModelSource) -> Classifier:
    from transformers import AutoModelForSequenceClassification

    if [path.name for path in source.folder.glob("*.safetensors")] == [COMPRESSED]:
        from robustprune.pruning import compressed

        return Classifier(compressed.load(source.folder), _saved_tokenizer(source.folder), source)
    try:
        model, report = AutoModelForSequenceClassification.from_pretrained(
            source.folder, use_safetensors=True, trust_remote_code=False, local_files_only=True, attn_implementation="eager", output_loading_info=True
        )
    except Exception as error:  # transformers raises whatever its readers raise
        raise ModelError(f"The model in {source.folder} cannot be loaded: {error}") from error
    if report["missing_keys"]:
        raise ModelError(f"The model in {source.folder} is no trained classifier: it lacks the weights {', '.join(sorted(report['missing_keys'])[:3])}.")
    return Classifier(model.float().eval().requires_grad_(False), _saved_tokenizer(source.folder), source)


def _saved_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # transformers raises whatever its readers raise
        raise ModelError(f"The tokenizer in {folder} cannot be loaded: {error}") from error


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[*HASHED, "special_tokens_map.json", "robustprune.json"]))
    except Exception as error:  # the hub's client raises many kinds; each means: not to be had
        raise ModelError(
            f"The model {name!r} is neither built in nor a folder here, and it could not be loaded from the hub ({type(error).__name__}). "
            f"Built in are: {', '.join(built_in())}."
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"There is no {path.name} in {path.parent}; a model's folder needs one.") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path} is damaged: {error}.") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} is damaged: it holds no JSON object.")
    return value
