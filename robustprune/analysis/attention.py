"""Attention maps of a classifier for one text (an interactive form of Li et al. 2023, Fig. 2)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from robustprune.base import hashing

if TYPE_CHECKING:
    from robustprune.models.loading import Classifier

FILE = "attention.safetensors"
# The adversarial sentence of the paper's Figure 2, and the sentence of SST-2 that it was made from.
PAPER_SENTENCE = "it's a bewitching and often repercussions journey."
PAPER_ORIGINAL = "it's a charming and often affecting journey."


@dataclass(frozen=True)
class AttentionMaps:
    """The attention of every block and head: ``values[block, head, i, j]`` is the attention that token i pays to token j. Rows sum to 1."""

    tokens: tuple[str, ...]
    values: Float[np.ndarray, "blocks heads tokens tokens"]

    @property
    def blocks(self) -> int:
        """Number of encoder blocks."""
        return self.values.shape[0]

    @property
    def heads(self) -> int:
        """Number of heads per block."""
        return self.values.shape[1]

    def to_entry(self) -> tuple[dict[str, Any], bytes]:
        """Returns the store entry of the maps: a document, and the content of ``FILE`` (float16)."""
        from safetensors.numpy import save

        content = save({"values": self.values.astype("float16")})
        return {"tokens": list(self.tokens), "sha256": hashing.of_bytes(content)}, content

    @classmethod
    def from_entry(cls, document: dict[str, Any], folder: Path) -> "AttentionMaps | None":
        """Returns the maps of a store entry, or None if the file is missing or damaged."""
        from safetensors.numpy import load_file

        path = folder / FILE
        if not path.is_file() or hashing.of_file(path) != document["sha256"]:
            return None
        return cls(tuple(document["tokens"]), load_file(path)["values"].astype("float32"))

    def map(self, block: int, head: int | None) -> Float[np.ndarray, "tokens tokens"]:
        """Returns the map of one head, or the mean over all heads of the block if ``head`` is None."""
        return self.values[block].mean(0) if head is None else self.values[block, head]


def maps(classifier: "Classifier", text: str) -> AttentionMaps:
    """Returns the attention maps for a text, which is truncated to the longest input of the model."""
    import torch

    from robustprune.models import inference

    ((_, encoded),) = inference.encoded_batches(classifier.model, classifier.tokenizer, [text])
    with torch.inference_mode():
        attentions = classifier.model(**encoded, output_attentions=True).attentions
    tokens = classifier.tokenizer.convert_ids_to_tokens(encoded["input_ids"][0])
    return AttentionMaps(tuple(tokens), torch.cat(attentions).float().cpu().numpy())


def mean_distance(dense: AttentionMaps, sparse: AttentionMaps) -> Float[np.ndarray, "blocks heads"]:
    """Returns the distance between the maps of two models for every head: the mean over tokens of the total variation distance, in [0, 1]."""
    return np.abs(dense.values - sparse.values).sum(-1).mean(-1) / 2
