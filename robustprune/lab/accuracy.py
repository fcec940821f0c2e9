"""Accuracy of a model on a sample of texts. It is stored under a key made from the model and the texts."""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from robustprune.base.hashing import digest
from robustprune.base.progress import Count
from robustprune.base.store import Entry, Store
from robustprune.models.sources import ModelSource
from robustprune.texts import datasets

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

KIND, OF = "evaluations", "of"


@dataclass(frozen=True)
class Evaluation:
    """The accuracy of one model on one sample of texts, with its Wilson 95 % interval."""

    model: str
    dataset: str
    split: str
    source: str
    examples: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)


def texts_for(source: ModelSource, dataset: str | None, examples: int, seed: int) -> datasets.Texts:
    """A seeded sample of evaluation texts for a model. Raises DataError if the labels do not fit the model."""
    texts = datasets.load(dataset or datasets.default_for(source.dataset), "evaluation")
    texts.check_labels(source.labels)
    return texts.sample(examples, seed)


def find(store: Store, model_digest: str, name: str, texts: datasets.Texts) -> Evaluation | None:
    """The stored evaluation of a model on these texts, with ``name`` as the model's name, or None."""
    stored = store.get(KIND, _key(model_digest, texts))
    return replace(as_evaluation(stored), model=name) if stored else None


def as_evaluation(entry: Entry) -> Evaluation:
    """Reads the evaluation from an entry of the store. The document's field ``of``, the model's digest, is not part of the evaluation."""
    return Evaluation(**{key: value for key, value in entry.document.items() if key != OF})


def measure(
    store: Store,
    model_digest: str,
    name: str,
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    texts: datasets.Texts,
    watch: Count,
) -> Evaluation:
    """Measures a model on texts and stores the result. ``watch(done, total)`` is called after every batch and may raise."""
    from robustprune.models import inference

    rate = inference.accuracy(model, tokenizer, texts.texts, texts.labels, watch)
    result = Evaluation(name, texts.dataset, texts.split, texts.source, len(texts), rate.value, rate.low, rate.high)
    store.put(KIND, _key(model_digest, texts), {**result.to_json(), OF: model_digest})
    return result


def _key(model_digest: str, texts: datasets.Texts) -> str:
    return digest("evaluate", model_digest, texts.digest)
