"""Sentence encoders, which measure how close two texts are in meaning."""

import copy
import importlib
from collections.abc import Callable, Sequence
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import BertModel, PreTrainedTokenizerBase

from robustprune.base.progress import Check
from robustprune.models import backbone, inference

CACHE = 20_000
TOKENS = 1024  # tokens per batch; small batches make a cancel quick
USE_ADDRESS = "https://tfhub.dev/google/universal-sentence-encoder/3"

# Returns the sentence vectors of texts. The second argument is called before every batch and may raise Cancelled.
Encode = Callable[[Sequence[str], Callable[[], None]], Float[Tensor, "texts hidden"]]


def no_check() -> None:
    """A check that does nothing."""


class SentenceEncoder:
    """MiniLM as a sentence encoder: the mean of the token vectors, scaled to length 1. It caches the vectors of the texts."""

    def __init__(self) -> None:
        from safetensors.torch import load_file
        from transformers import BertConfig

        config = BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
        self._model = BertModel(config)
        weights = load_file(backbone.folder() / "model.safetensors")
        self._model.load_state_dict(weights, strict=False)
        self._model.eval().requires_grad_(False)
        self._tokenizer: PreTrainedTokenizerBase = backbone.tokenizer()
        self._known: dict[str, Tensor] = {}

    def first_layers(self, count: int) -> Self:
        """An encoder that ends after the first ``count`` layers. It shares the weights and has its own cache."""
        shorter = copy.copy(self)
        shorter._model, shorter._known = copy.copy(self._model), {}
        shorter._model._modules = {**self._model._modules, "encoder": copy.copy(self._model.encoder)}
        shorter._model.encoder._modules = {"layer": self._model.encoder.layer[:count]}
        return shorter

    def encode(self, texts: Sequence[str], check: Check = no_check) -> Float[Tensor, "texts hidden"]:
        """The unit vectors of the texts, in order. ``check`` is called before every batch and may raise."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if len(self._known) + len(new) > CACHE:
            self._known.clear()
            new = list(dict.fromkeys(texts))
        self._known.update(zip(new, self._encode(new, check), strict=True))
        return torch.stack([self._known[text] for text in texts]) if texts else torch.empty(0, self._model.config.hidden_size)

    def forget(self) -> None:
        """Clears the cache, so that every measurement starts in the same state."""
        self._known.clear()

    def similarities(self, texts: Sequence[str], others: Sequence[str], check: Check = no_check) -> list[float]:
        """The cosine between each text and the text at the same place in ``others``."""
        vectors = self.encode([*texts, *others], check)
        return (vectors[: len(texts)] * vectors[len(texts) :]).sum(1).tolist()

    @torch.inference_mode()
    def _encode(self, texts: Sequence[str], check: Check) -> Float[Tensor, "texts hidden"]:
        result = torch.empty(len(texts), self._model.config.hidden_size)
        for rows, batch in inference.encoded_batches(self._model, self._tokenizer, texts, TOKENS):
            check()
            hidden = self._model(**batch).last_hidden_state
            real = batch["attention_mask"].unsqueeze(-1)
            result[rows] = torch.nn.functional.normalize((hidden * real).sum(1) / real.sum(1), dim=1)
        return result


def universal_sentence_encoder() -> Encode:
    """The Universal Sentence Encoder, which the published recipes use, loaded from TensorFlow Hub's folder on this machine."""
    module = importlib.import_module("tensorflow_hub").load(USE_ADDRESS)

    def encode(texts: Sequence[str], check: Check) -> Float[Tensor, "texts hidden"]:
        check()
        answer = module(list(texts))
        return torch.tensor((answer["outputs"] if isinstance(answer, dict) else answer).numpy())

    return encode
