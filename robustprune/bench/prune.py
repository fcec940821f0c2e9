"""``bench prune``: what pruning a whole model costs over the floor, below which no method of this kind can be: running the texts
through the dense and the sparse model once, and multiplying up the moments."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from robustprune import data, inference, models
from robustprune.pruning import pipeline, streams
from robustprune.pruning.blocks import encoder_blocks
from robustprune.pruning.moments import Accumulator
from robustprune.spec import PruneSpec

REPEATS = 3


def run(spec: PruneSpec, device: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Seconds of pruning and of the floor, the medians of several runs in turns, and their ratio. ``say`` hears lines of a table."""
    source = models.find(spec.model)
    texts = list(data.load(spec.dataset or data.default_for(source.dataset), "calibration").sample(spec.calibration, spec.seed).texts)
    classifier = models.load(source)
    model, tokenizer = inference.on_device(classifier.model, inference.device(device)), classifier.tokenizer
    forward, moments, whole = [], [], []
    for number in range(REPEATS):
        seconds = _floor(model, tokenizer, texts)
        forward.append(2 * seconds[0])
        moments.append(seconds[1])
        whole.append(pipeline.prune(model, tokenizer, texts, spec, lambda *_: None)[1].seconds)
        say(f"run {number + 1}: two forward passes {forward[-1]:.2f} s, moments {moments[-1]:.2f} s, pruning {whole[-1]:.2f} s")
    floor = statistics.median(map(sum, zip(forward, moments, strict=True)))
    seconds = statistics.median(whole)
    say(f"median: floor {floor:.2f} s, pruning {seconds:.2f} s, {seconds / floor:.2f} x the floor")
    return {
        "spec": spec.to_json(),
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
    """Seconds of one forward pass over the texts, and of the moments of all groups: second moments of the inputs, and their
    products with as many dense rows as the pipeline needs, which are the narrower of inputs and outputs."""
    started = time.perf_counter()
    batches = streams.block_inputs(model, tokenizer, texts, lambda: None)
    forward, moments = time.perf_counter() - started, 0.0
    for block in encoder_blocks(model):
        started = time.perf_counter()
        after = streams.advance(block, batches, lambda: None)
        forward += time.perf_counter() - started
        rows: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {}
        streams.advance(block, batches, lambda: None, lambda _n, name, x, y, rows=rows: rows.setdefault(name, []).append((x, y)))
        started = time.perf_counter()
        for group in block.groups:
            sums = Accumulator()
            outputs = sum(block.linear(name).out_features for name in group)
            for x, y in rows[group[0]]:
                sums.add(x, {"wanted": x if x.shape[1] < outputs else y})
            sums.outputs("wanted")  # also waits for a GPU
        moments += time.perf_counter() - started
        batches = after
    return forward, moments
