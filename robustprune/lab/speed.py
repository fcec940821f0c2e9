"""Measures what the zeros of a pruned model save: bytes on disk, and time with the kernels that are available here."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from robustprune.base.progress import Cancel, Count, Progress, counting, silent
from robustprune.lab import accuracy
from robustprune.lab.models import load_model, stored_run
from robustprune.models.sources import RUN
from robustprune.texts import datasets

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from robustprune.models.compressed import Sizes
    from robustprune.models.latency import LatencyReport
    from robustprune.models.loading import Classifier

TEXTS = 16


def measure_speed(
    model: str, dense: str | None = None, dataset: str | None = None, batch_size: int = 1, progress: Progress = silent, cancel: Cancel | None = None
) -> "tuple[LatencyReport, Sizes]":
    """Times a sparse model in three forms and the dense model, in turns, on evaluation texts. Returns the latencies and the sizes.

    :func:`_measure` describes the three forms. Without ``dense``, the start of a stored run is used as the dense model; for any other
    model, no dense model is timed.
    """
    sparse = load_model(model, progress, cancel)
    dense = dense or (stored_run(sparse.source.digest).spec.model if model.startswith(RUN) else None)
    texts = accuracy.texts_for(sparse.source, dataset or datasets.demo_for(sparse.source.dataset), TEXTS, seed=0)
    others = {"dense": load_model(dense, progress, cancel).model} if dense else {}

    return _measure(others, sparse, texts.texts, batch_size, counting(progress, cancel, "lab.passes_done"))


def _measure(others: "dict[str, PreTrainedModel]", sparse: "Classifier", texts: Sequence[str], batch_size: int, watch: Count) -> "tuple[LatencyReport, Sizes]":
    """Times ``others`` and three forms of a sparse model, in turns. Returns the latencies and the model's sizes on disk.

    The form ``sparse`` is the exported model, which multiplies zeros like any other number. The form ``compressed`` is read back from the
    compressed file: it uses the same kernels, with weights rounded to float16. The form ``sparse kernels`` uses PyTorch's compressed sparse
    rows (CSR), which skip zeros.
    """
    from robustprune.models import compressed, latency, sparse_kernels

    with tempfile.TemporaryDirectory() as folder:
        sizes = compressed.write(Path(folder), sparse.model, sparse.tokenizer)
        unpacked = compressed.load(Path(folder))
    variants = {**others, "sparse": sparse.model, "compressed": unpacked, "sparse kernels": sparse_kernels.with_sparse_kernels(sparse.model)}
    return latency.measure(variants, sparse.tokenizer, texts, watch, batch_size), sizes
