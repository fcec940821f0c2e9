"""The lab's calls that look inside models: attention maps, sentence embeddings, single layers, and the prediction for a text.

All results except predictions are stored, so that a shipped run without weights can still show the shipped results.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from robustprune.base.errors import DataError, ModelError
from robustprune.base.hashing import digest
from robustprune.base.progress import Cancel, Progress, counting, silent
from robustprune.base.stores import store
from robustprune.lab import accuracy
from robustprune.lab.models import find_model, load_model
from robustprune.lab.runs import PruneRun
from robustprune.pruning import ENGINE_VERSION
from robustprune.specs.attack import check_text
from robustprune.texts import datasets

if TYPE_CHECKING:
    from robustprune.analysis.attention import AttentionMaps
    from robustprune.analysis.embeddings import Embeddings
    from robustprune.analysis.layers import LayerViews

ATTENTIONS, EMBEDDINGS, LAYERS = "attentions", "embeddings", "layers"
# The number of evaluation texts for the errors of single layers.
LAYER_TEXTS = 128


def attention(model: str, text: str, progress: Progress = silent, cancel: Cancel | None = None) -> "AttentionMaps":
    """Returns the attention maps of a model for a text, from the store if they are there."""
    from robustprune.analysis import attention as analysis_attention

    text = check_text(text)
    stored = find_attention(model, text)
    if stored:
        return stored
    result = analysis_attention.maps(load_model(model, progress, cancel), text)
    document, content = result.to_entry()
    store().put(ATTENTIONS, _attention_key(model, text), document, lambda folder: (folder / analysis_attention.FILE).write_bytes(content))
    return result


def find_attention(model: str, text: str) -> "AttentionMaps | None":
    """The stored attention maps, or None. Loads no model."""
    from robustprune.analysis.attention import AttentionMaps

    entry = store().get(ATTENTIONS, _attention_key(model, text))
    return AttentionMaps.from_entry(entry.document, entry.folder) if entry else None


def embeddings(model: str, texts: Sequence[str], progress: Progress = silent, cancel: Cancel | None = None) -> "Embeddings":
    """Returns the sentence embeddings of some texts before the first and after every block of a model, from the store if they are there."""
    from robustprune.analysis import embeddings as analysis_embeddings

    texts = [check_text(text) for text in texts]
    stored = find_embeddings(model, texts)
    if stored:
        return stored
    result = analysis_embeddings.embeddings(load_model(model, progress, cancel), texts)
    document, content = result.to_entry()
    store().put(EMBEDDINGS, _embeddings_key(model, texts), document, lambda folder: (folder / analysis_embeddings.FILE).write_bytes(content))
    return result


def find_embeddings(model: str, texts: Sequence[str]) -> "Embeddings | None":
    """The stored embeddings, or None. Loads no model."""
    from robustprune.analysis.embeddings import Embeddings

    entry = store().get(EMBEDDINGS, _embeddings_key(model, texts))
    return Embeddings.from_entry(entry.document, entry.folder) if entry else None


def layer_views(run: PruneRun, progress: Progress = silent, cancel: Cancel | None = None) -> "LayerViews":
    """Returns a detailed view of every layer of a run. The errors are measured on evaluation texts, which no layer was fitted to."""
    from robustprune.analysis import layers

    stored = find_layer_views(run)
    if stored:
        return stored
    dense, sparse = load_model(run.spec.model, progress, cancel), load_model(run.ref, progress, cancel)
    texts = _layer_texts(run)

    residual = run.spec.residual and run.spec.adaptive == "full"
    result = layers.views(dense.model, sparse.model, dense.tokenizer, texts.texts, residual, counting(progress, cancel, "lab.text_at_hand"))
    document, content = result.to_entry()
    store().put(LAYERS, _layers_key(run, texts), document, lambda folder: (folder / layers.FILE).write_bytes(content))
    return result


def find_layer_views(run: PruneRun) -> "LayerViews | None":
    """The stored views of a run's layers. None if there are none, or if the model or the texts cannot be found. Loads no model."""
    from robustprune.analysis.layers import LayerViews

    try:
        entry = store().get(LAYERS, _layers_key(run, _layer_texts(run)))
    except (DataError, ModelError):  # layer_views raises the same error and shows the reason
        return None
    return LayerViews.from_entry(entry.document, entry.folder) if entry else None


def predict(model: str, text: str, progress: Progress = silent, cancel: Cancel | None = None) -> tuple[float, ...]:
    """A model's class probabilities for a text, in the order of its labels."""
    from robustprune.models import inference

    classifier = load_model(model, progress, cancel)
    return tuple(inference.probabilities(classifier.model, classifier.tokenizer, [check_text(text)])[0].tolist())


def _layer_texts(run: PruneRun) -> datasets.Texts:
    return accuracy.texts_for(find_model(run.spec.model), run.spec.dataset, LAYER_TEXTS, seed=0)


def _attention_key(model: str, text: str) -> str:
    return digest("attention", find_model(model).digest, text, ENGINE_VERSION)


def _embeddings_key(model: str, texts: Sequence[str]) -> str:
    return digest("embeddings", find_model(model).digest, list(texts), ENGINE_VERSION)


def _layers_key(run: PruneRun, texts: datasets.Texts) -> str:
    return digest("layers", run.digest, texts.digest, ENGINE_VERSION)
