"""Running a classifier over many texts: batches of like length, padded to the longest of the batch, no gradients."""

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
    """The device of that name: ``cpu``, ``cuda``, or ``auto``, which is CUDA where there is one.

    Raises:
        SpecError: another name, or there is no CUDA device here.
    """
    if check_device(name) == "cuda" and not torch.cuda.is_available():
        raise SpecError("models.no_cuda")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def on_device(model: PreTrainedModel, place: torch.device) -> PreTrainedModel:
    """The model itself if it is there already, else a copy there: models are shared, so they are never moved."""
    return model if model.device.type == place.type else copy.deepcopy(model).to(place)


def max_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """The longest input, in tokens, that both model and tokenizer take; what is longer is cut off."""
    positions = getattr(model.config, "max_position_embeddings", 512)
    # RoBERTa's positions start behind the padding index, so two of them are never used.
    reserved = (model.config.pad_token_id or 0) + 1 if model.config.model_type in ("roberta", "xlm-roberta") else 0
    return min(tokenizer.model_max_length, positions - reserved)


def length_batches(lengths: Sequence[int], tokens_per_batch: int = TOKENS_PER_BATCH) -> Iterator[list[int]]:
    """Rows grouped by length, shortest first, so that rows times longest stays within the budget of tokens."""
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
    """Yields the rows of each batch and its padded encoding, on the model's device."""
    if not texts:
        return
    encoded = encode(model, tokenizer, texts)
    for rows in length_batches([len(ids) for ids in encoded["input_ids"]], tokens_per_batch):
        yield rows, pad(tokenizer, encoded, rows).to(model.device)


def encode(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> BatchEncoding:
    """Token ids and whatever else the model takes of what its tokenizer gives, cut to what it can read, not padded."""
    taken = _taken(type(model))
    encoded = tokenizer(list(texts), truncation=True, max_length=max_tokens(model, tokenizer))
    return BatchEncoding({key: values for key, values in encoded.items() if key in taken})


@cache
def _taken(kind: type[PreTrainedModel]) -> frozenset[str]:
    """The names of what models of this kind take."""
    return frozenset(inspect.signature(kind.forward).parameters)


def pad(tokenizer: PreTrainedTokenizerBase, encoded: BatchEncoding, rows: Sequence[int]) -> BatchEncoding:
    """The encodings of the given rows as tensors, padded to the longest of them."""
    # Tokenising once and padding later is meant here: padding follows the batches, which follow the lengths.
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
    """The share of the texts whose likeliest class is their label, with its Wilson interval. ``progress`` is called as by :func:`logits`."""
    return share_right(logits(model, tokenizer, texts, progress), labels)


def share_right(answers: Float[Tensor, "texts labels"], labels: Sequence[int]) -> Rate:
    """The same of logits that are known already."""
    return wilson(int((answers.argmax(-1) == torch.tensor(labels)).sum()), len(labels))
