"""What zeros save, measured: bytes on disk, and time in the runtimes that there are here."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from robustprune import latency
from robustprune.models import Classifier
from robustprune.pruning import compressed, sparse_kernels

if TYPE_CHECKING:
    from transformers import PreTrainedModel

TEXTS = 16


def measure(
    others: "dict[str, PreTrainedModel]", sparse: Classifier, texts: Sequence[str], batch_size: int, watch: Callable[[int, int], None]
) -> tuple[latency.LatencyReport, compressed.Sizes]:
    """Times ``others`` and three forms of a sparse model in turns; gives the latencies and what the model takes on disk.

    The forms: ``sparse`` as exported (zeros are multiplied like any other number), ``compressed`` (read back from the compressed
    file, so the same kernels with weights rounded to float16), ``sparse kernels`` (PyTorch's compressed sparse rows, which skip zeros).
    """
    with tempfile.TemporaryDirectory() as folder:
        sizes = compressed.write(Path(folder), sparse.model, sparse.tokenizer)
        unpacked = compressed.load(Path(folder))
    variants = {**others, "sparse": sparse.model, "compressed": unpacked, "sparse kernels": sparse_kernels.with_sparse_kernels(sparse.model)}
    return latency.measure(variants, sparse.tokenizer, texts, watch, batch_size), sizes
