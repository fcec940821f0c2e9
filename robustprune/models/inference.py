"""Runs a classifier over many texts: in batches of similar length, padded to the longest text of the batch, without gradients."""

import copy
import inspect
from collections.abc import Iterator, Sequence
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

from robustprune.base.errors import SpecError
from robustprune.base.progress import Count
from robustprune.base.rates import Rate, wilson
from robustprune.specs.prune import check_device

TOKENS_PER_BATCH = 4096


def device(name: str) -> torch.device:
    """The device of that name: ``cpu``, ``cuda``, or ``auto``, which is CUDA if there is a CUDA device, else the CPU.

    Raises:
        SpecError: the name is not one of these, or the name is ``cuda`` and there is no CUDA device.
    """
    if check_device(name) == "cuda" and not torch.cuda.is_available():
        raise SpecError("models.no_cuda")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def on_device(model: PreTrainedModel, place: torch.device) -> PreTrainedModel:
    """The model itself if it is already on that device, else a copy on that device. Models are shared, so they are never moved."""
    return model if model.device.type == place.type else copy.deepcopy(model).to(place)


def max_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """The largest number of tokens that both model and tokenizer accept. Longer inputs are truncated to it."""
    positions = getattr(model.config, "max_position_embeddings", 512)
    # The positions of RoBERTa start after the padding index, so the first ones (usually two) are never used.
    reserved = (model.config.pad_token_id or 0) + 1 if model.config.model_type in ("roberta", "xlm-roberta") else 0
    return min(tokenizer.model_max_length, positions - reserved)


def length_batches(lengths: Sequence[int], tokens_per_batch: int = TOKENS_PER_BATCH) -> Iterator[list[int]]:
    """Yields batches of row indices, grouped by length, shortest first.

    The number of rows times the longest length is at most ``tokens_per_batch``. A longer row is a batch by itself.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > tokens_per_batch:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def encoded_batches(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], tokens_per_batch: int = TOKENS_PER_BATCH
) -> Iterator[tuple[list[int], BatchEncoding]]:
    """Yields, for each batch, the indices of its texts and their padded encoding on the model's device."""
    if not texts:
        return
    encoded = encode(model, tokenizer, texts)
    for rows in length_batches([len(ids) for ids in encoded["input_ids"]], tokens_per_batch):
        yield rows, pad(tokenizer, encoded, rows).to(model.device)


def encode(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> BatchEncoding:
    """Tokenises texts, truncated to :func:`max_tokens` and not padded. Only the tokenizer outputs that the model accepts are kept."""
    taken = _taken(type(model))
    encoded = tokenizer(list(texts), truncation=True, max_length=max_tokens(model, tokenizer))
    return BatchEncoding({key: values for key, values in encoded.items() if key in taken})


@cache
def _taken(kind: type[PreTrainedModel]) -> frozenset[str]:
    """The names of the arguments that models of this class accept."""
    return frozenset(inspect.signature(kind.forward).parameters)


def pad(tokenizer: PreTrainedTokenizerBase, encoded: BatchEncoding, rows: Sequence[int]) -> BatchEncoding:
    """The encodings of the given rows as tensors, padded to the longest of these rows."""
    # Suppresses a warning. Padding must come after tokenising, because the batches depend on the token lengths.
    tokenizer.deprecation_warnings["Asking-to-pad-a-fast-tokenizer"] = True
    return tokenizer.pad({key: [values[row] for row in rows] for key, values in encoded.items()}, return_tensors="pt")


@torch.inference_mode()
def logits(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    progress: Count | None = None,
    tokens_per_batch: int = TOKENS_PER_BATCH,
) -> Float[Tensor, "texts labels"]:
    """Float32 logits on the CPU, in the order of the texts. ``progress(done, total)`` is called after every batch and may raise."""
    result = torch.empty(len(texts), model.config.num_labels)
    done = 0
    for rows, batch in encoded_batches(model, tokenizer, texts, tokens_per_batch):
        result[rows] = model(**batch).logits.float().cpu()
        done += len(rows)
        if progress:
            progress(done, len(texts))
    return result


def probabilities(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> Float[Tensor, "texts labels"]:
    """Class probabilities on the CPU, in the order of the texts."""
    return logits(model, tokenizer, texts).softmax(-1)


def accuracy(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], labels: Sequence[int], progress: Count | None = None) -> Rate:
    """The share of texts whose most likely class is their label, with its Wilson interval. ``progress`` is passed to :func:`logits`."""
    return share_right(logits(model, tokenizer, texts, progress), labels)


def share_right(answers: Float[Tensor, "texts labels"], labels: Sequence[int]) -> Rate:
    """The accuracy of known logits: the share of rows whose largest logit is at their label, with its Wilson interval."""
    return wilson(int((answers.argmax(-1) == torch.tensor(labels)).sum()), len(labels))
