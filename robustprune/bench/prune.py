"""``bench prune``: compares the time for pruning a whole model with a floor, which no method of this kind can beat.

The floor is the time for running the texts through the dense and the sparse model once, and for computing the moments.
"""

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
    """Measures the seconds of pruning and of the floor, and their ratio. ``tell`` gets the lines of a table.

    Both are measured alternately; the seconds are medians over several runs.
    """
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
    """Returns the seconds of two forward passes over the texts, and the seconds of the moments of all groups.

    The embeddings are computed only once. The moments are the second moments of the inputs, and the products of the inputs with the dense
    rows that the pipeline keeps. These rows are the inputs or the outputs of the group, whichever are narrower.
    """
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
    """Waits until the device of the model has finished its work, then returns the time in seconds."""
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)
    return time.perf_counter()
