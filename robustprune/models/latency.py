"""Measures how long several classifiers take for the same texts on this machine.

The variants take turns within every round, and each round starts with a different variant. So if the machine slows down, it slows down all
variants.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

from robustprune.base.errors import SpecError
from robustprune.models import inference

ROUNDS = 10


@dataclass(frozen=True)
class Latency:
    """The milliseconds per text of one variant: the median (``median_ms``), the 10th (``low_ms``) and the 90th (``high_ms``) percentile over the rounds."""

    name: str
    median_ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True)
class LatencyReport:
    """The latencies of all variants, and the conditions of the measurement.

    Attributes:
        latencies: one entry per variant, in the given order.
        batch_size: the number of texts per batch.
        texts: the number of texts. Every variant processes all of them in every round.
        rounds: the number of measured rounds.
        threads: the number of CPU threads that PyTorch uses.
        device: the device of the models, such as ``cpu`` or ``cuda``.
    """

    latencies: tuple[Latency, ...]
    batch_size: int
    texts: int
    rounds: int
    threads: int
    device: str

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)


def measure(
    variants: Mapping[str, PreTrainedModel],
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    watch: Callable[[int, int], None],
    batch_size: int = 1,
    rounds: int = ROUNDS,
) -> LatencyReport:
    """Measures the time of the forward passes over the texts in the given order. All models are in evaluation mode and on one device.

    The time does not include tokenising, which is the same for all models. One extra round runs first as a warm-up and is not counted.
    ``watch(done, total)`` is called after every pass of a variant over the texts and may raise.

    Raises:
        SpecError: there are no models, no texts or no rounds, the batch size is below 1, or the vocabulary sizes of the models differ.
    """
    if not variants or not texts or min(batch_size, rounds) < 1:
        raise SpecError("models.nothing_to_measure", models=len(variants), texts=len(texts), batch_size=batch_size, rounds=rounds)
    if len(words := {model.config.vocab_size for model in variants.values()}) > 1:
        raise SpecError("models.vocabularies_differ", models=variants, sizes=sorted(words))
    batches = {name: _batches(model, tokenizer, texts, batch_size) for name, model in variants.items()}
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(rounds + 1):
        for position, name in enumerate(_rotated(list(variants), turn)):
            seconds[name].append(_seconds(variants[name], batches[name]))
            watch(turn * len(variants) + position + 1, (rounds + 1) * len(variants))
    latencies = tuple(_latency(name, times, len(texts)) for name, times in seconds.items())
    device = next(iter(variants.values())).device.type
    return LatencyReport(latencies, batch_size, len(texts), rounds, torch.get_num_threads(), device)


def _batches(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], batch_size: int) -> list[BatchEncoding]:
    """The texts as batches in the given order. Each batch is padded to its longest text and is on the model's device."""
    encoded = inference.encode(model, tokenizer, texts)
    rows = range(len(texts))
    return [inference.pad(tokenizer, encoded, rows[start : start + batch_size]).to(model.device) for start in rows[::batch_size]]


def _rotated(names: list[str], turn: int) -> list[str]:
    """The names, rotated so that each turn starts with the next name."""
    start = turn % len(names)
    return names[start:] + names[:start]


@torch.inference_mode()
def _seconds(model: PreTrainedModel, batches: list[BatchEncoding]) -> float:
    """Wall-clock seconds of one pass over the batches."""
    _finish(model)
    begin = time.perf_counter()
    for batch in batches:
        model(**batch)
    _finish(model)
    return time.perf_counter() - begin


def _finish(model: PreTrainedModel) -> None:
    """Waits until the model's device has finished all its work, because a GPU computes asynchronously."""
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)


def _latency(name: str, seconds: Sequence[float], texts: int) -> Latency:
    """The percentiles over the passes of a variant. The first pass is the warm-up and is left out."""
    low, median, high = np.percentile(np.array(seconds[1:]) * 1000 / texts, [10, 50, 90])
    return Latency(name, float(median), float(low), float(high))
