"""Compares the sentence embeddings of a dense and a sparse model, block by block (Li et al. 2023, Table 4 and Fig. 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from jaxtyping import Float

from robustprune.base import hashing

if TYPE_CHECKING:
    from robustprune.models.loading import Classifier

FILE = "embeddings.safetensors"
# The two sentences of the paper: a sentence of SST-2, and its adversarial version.
PAPER_ORIGINAL = "allows us to hope that nolan is poised to embark on a major career as a commercial yet inventive filmmaker"
PAPER_ADVERSARIAL = "allows us to hope that nolan is prepped to embark on a major career as a commercial yet shrewd scriptwriter"


@dataclass(frozen=True)
class Embeddings:
    """The hidden state of the first token ([CLS]) after the word embeddings and after every block, for some texts.

    In ``values[text, stage]``, stage 0 is the word embeddings and stage b is the output of the b-th block, counted from 1.
    """

    values: Float[np.ndarray, "texts stages hidden"]

    def to_entry(self) -> tuple[dict[str, Any], bytes]:
        """Returns the store entry of the embeddings: a document, and the content of ``FILE`` (float16)."""
        from safetensors.numpy import save

        content = save({"values": self.values.astype("float16")})
        return {"sha256": hashing.of_bytes(content)}, content

    @classmethod
    def from_entry(cls, document: dict[str, Any], folder: Path) -> Self | None:
        """Returns the embeddings of a store entry, or None if the file is missing or damaged."""
        from safetensors.numpy import load_file

        path = folder / FILE
        if not path.is_file() or hashing.of_file(path) != document["sha256"]:
            return None
        return cls(load_file(path)["values"].astype("float32"))


def embeddings(classifier: "Classifier", texts: Sequence[str]) -> Embeddings:
    """Returns the embeddings of some texts, each truncated to the longest input of the model."""
    import torch

    from robustprune.models import inference

    result: list[Float[np.ndarray, "stages hidden"] | None] = [None] * len(texts)
    with torch.inference_mode():
        for rows, encoded in inference.encoded_batches(classifier.model, classifier.tokenizer, texts):
            stages = torch.stack(classifier.model(**encoded, output_hidden_states=True).hidden_states)[:, :, 0].float().cpu().numpy()
            for place, row in enumerate(rows):
                result[row] = stages[:, place]
    return Embeddings(np.stack(result))


def distances(dense: Embeddings, sparse: Embeddings) -> Float[np.ndarray, "texts stages"]:
    """Returns the Euclidean distance between the embeddings of the two models, for every text and stage."""
    return np.linalg.norm(dense.values - sparse.values, axis=-1)


def lengths(dense: Embeddings) -> Float[np.ndarray, "texts stages"]:
    """Returns the Euclidean length of every embedding, to compare distances with."""
    return np.linalg.norm(dense.values, axis=-1)


def projection(points: Float[np.ndarray, "points hidden"]) -> tuple[Float[np.ndarray, "points 2"], Float[np.ndarray, "2"]]:
    """Projects points on their first two principal components. Returns the projections and the share of the variance of each component."""
    centred = points - points.mean(0)
    left, strengths, _ = np.linalg.svd(centred.astype("float64"), full_matrices=False)
    power = strengths**2
    shares = power[:2] / max(power.sum(), 1e-12)
    flat = (left * strengths)[:, :2]
    # The signs are arbitrary. The first point is put on the negative side of both axes, so that similar models give similar pictures.
    flat = flat * np.where(flat[0] > 0, -1.0, 1.0)
    return flat, shares
