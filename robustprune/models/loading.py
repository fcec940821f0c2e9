"""Loads classifiers for inference."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from robustprune.models import adapters, backbone, untrusted
from robustprune.models.sources import COMPRESSED, ModelSource

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Classifier:
    """A loaded model with its tokenizer and its source. It is shared by all its users, so nobody may change it in place."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    source: ModelSource


def load(source: ModelSource) -> Classifier:
    """Loads a classifier for inference: in evaluation mode, in float32, able to return attentions.

    Raises:
        ModelError: the weights are missing, damaged, or not safetensors.
    """
    if source.parts:
        return _load_average(source)
    if adapters.is_ours(source.folder):
        return Classifier(adapters.load(source.folder).requires_grad_(False), backbone.tokenizer(), source)
    return _load_folder(source)


def _load_average(source: ModelSource) -> Classifier:
    from robustprune.models import averaging

    loaded = [(load(part), share) for part, share in source.parts]
    averaging.check_alike([one.model for one, _ in loaded], [one.source.name for one, _ in loaded])
    model = averaging.average([(one.model, share) for one, share in loaded])
    return Classifier(model, loaded[0][0].tokenizer, source)


def _load_folder(source: ModelSource) -> Classifier:
    from transformers import AutoModelForSequenceClassification

    if [path.name for path in source.folder.glob("*.safetensors")] == [COMPRESSED]:
        from robustprune.models import compressed

        untrusted.check_folder(source.folder, AutoModelForSequenceClassification)
        model, tokenizer = compressed.load(source.folder), untrusted.load_tokenizer(source.folder)
        untrusted.check_loaded(model, tokenizer, source.folder)
    else:
        model, tokenizer = untrusted.load(source.folder, AutoModelForSequenceClassification)
    return Classifier(model, tokenizer, source)
