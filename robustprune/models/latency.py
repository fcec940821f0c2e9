"""How long classifiers take for the same texts on this machine, measured in turns.

Variants take turns within every round, and each round begins with another one, so that a machine that slows down slows all of them.
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
    """Milliseconds per text of one variant: median, 10th and 90th percentile over the rounds."""

    name: str
    median_ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True)
class LatencyReport:
    """All variants in the order given, and what they were measured with.

    Attributes:
        texts: number of texts; every variant read all of them in every round.
        threads: threads that PyTorch computes with on the CPU.
        device: where the models lie, such as ``cpu`` or ``cuda``.
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
    """Times the forward passes of models in evaluation mode, all on one device, over the texts in the order given.

    Tokenising is left out, since it is the same for all. One round more is run first and thrown away.
    ``watch(done, total)`` is called after every pass of a variant over the texts and may raise.

    Raises:
        SpecError: there is nothing to measure, or the models' vocabularies differ.
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
    """The texts in the order given, each batch padded to its longest text, on the model's device."""
    encoded = inference.encode(model, tokenizer, texts)
    rows = range(len(texts))
    return [inference.pad(tokenizer, encoded, rows[start : start + batch_size]).to(model.device) for start in rows[::batch_size]]


def _rotated(names: list[str], turn: int) -> list[str]:
    """The names, beginning with another one each turn."""
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
    """Waits until the model's device has done all that it was given; a GPU runs behind the program."""
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)


def _latency(name: str, seconds: Sequence[float], texts: int) -> Latency:
    """The percentiles over a variant's passes, the first of which only warmed up."""
    low, median, high = np.percentile(np.array(seconds[1:]) * 1000 / texts, [10, 50, 90])
    return Latency(name, float(median), float(low), float(high))
