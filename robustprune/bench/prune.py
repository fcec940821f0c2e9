"""``bench prune``: what pruning a whole model costs over the floor, below which no method of this kind can be: running the texts
through the dense and the sparse model once, and multiplying up the moments."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from robustprune.models import inference, loading, sources
from robustprune.models.architectures import encoder_blocks
from robustprune.pruning import pipeline, streams
from robustprune.pruning.moments import Accumulator
from robustprune.specs.prune import PruneSpec
from robustprune.texts import datasets

REPEATS = 3


def measure(spec: PruneSpec, device: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """Seconds of pruning and of the floor, the medians of several runs in turns, and their ratio. ``tell`` hears lines of a table."""
    source = sources.find(spec.model)
    sample = datasets.load(spec.dataset or datasets.default_for(source.dataset), "calibration").sample(spec.calibration, spec.seed)
    texts = list(sample.texts)
    classifier = loading.load(source)
    model, tokenizer = inference.on_device(classifier.model, inference.device(device)), classifier.tokenizer
    forward, moments, whole = [], [], []
    for number in range(REPEATS):
        seconds = _floor(model, tokenizer, texts)
        forward.append(seconds[0])
        moments.append(seconds[1])
        whole.append(pipeline.prune(model, tokenizer, texts, spec, lambda *_: None)[1].seconds)
        tell(f"run {number + 1}: two forward passes {forward[-1]:.2f} s, moments {moments[-1]:.2f} s, pruning {whole[-1]:.2f} s")
    floor = statistics.median(map(sum, zip(forward, moments, strict=True)))
    seconds = statistics.median(whole)
    tell(f"median: floor {floor:.2f} s, pruning {seconds:.2f} s, {seconds / floor:.2f} x the floor")
    return {
        "spec": spec.to_json(),
        "dataset": sample.dataset,
        "texts": len(texts),
        "device": model.device.type,
        "threads": torch.get_num_threads(),
        "seconds": seconds,
        "floor_seconds": floor,
        "forward_seconds": statistics.median(forward),
        "moment_seconds": statistics.median(moments),
        "seconds_over_floor": seconds / floor,
        "runs": whole,
    }


@torch.no_grad()
def _floor(model: Any, tokenizer: Any, texts: list[str]) -> tuple[float, float]:
    """Seconds of two forward passes over the texts, embeddings once, and of the moments of all groups: second moments of the inputs,
    and their products with as many dense rows as the pipeline needs, which are the narrower of inputs and outputs."""
    started = _now(model)
    batches = streams.block_inputs(model, tokenizer, texts, lambda: None)
    forward, moments = _now(model) - started, 0.0
    for block in encoder_blocks(model):
        started = _now(model)
        after = streams.advance(block, batches, lambda: None)
        forward += 2 * (_now(model) - started)
        rows: dict[tuple[str, ...], list[tuple[torch.Tensor, dict[str, torch.Tensor]]]] = {}
        streams.advance(block, batches, lambda: None, lambda _n, group, x, outputs, rows=rows: rows.setdefault(group, []).append((x, outputs)))
        started = _now(model)
        for group, seen in rows.items():
            sums = Accumulator()
            width = sum(block.linear(name).out_features for name in group)
            for x, outputs in seen:
                sums.add(x, {"inputs": x} if x.shape[1] < width else outputs)
        moments += _now(model) - started
        batches = after
    return forward, moments


def _now(model: Any) -> float:
    """The time when the model's device has done all that it was given."""
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)
    return time.perf_counter()
