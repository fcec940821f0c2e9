"""What an attack needs to know about language, from what is on this machine: synonyms, word classes, sentence similarity.

The built-in set works offline. Synonyms are the nearest neighbours of a word among MiniLM's own whole words, less the pairs of our
antonym list; sentence similarity is MiniLM's too; word classes come from NLTK's tagger where its data is, else from lemminflect's
dictionary.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import BertModel, PreTrainedTokenizerBase

from robustprune import backbone, hashing, inference, models, paths
from robustprune.attacks.resource_names import NEIGHBOURS, ResourceNames, describe

log = logging.getLogger(__name__)

ENCODER_CACHE = 20_000
WORDS_AT_ONCE = 2048
ANTONYMS = paths.ASSETS / "antonyms.txt"


@dataclass(frozen=True)
class Synonyms:
    """Whole words, their unit vectors, and for each the indices of its nearest neighbours: itself first, then nearest first."""

    words: tuple[str, ...]
    vectors: Float[np.ndarray, "words hidden"]
    neighbours: Int[np.ndarray, "words neighbours"]


@dataclass(frozen=True)
class Resources:
    """Everything an attack needs that does not depend on the victim."""

    synonyms: Synonyms
    encoder: "SentenceEncoder"
    names: ResourceNames


class SentenceEncoder:
    """MiniLM as a sentence encoder: the mean of its token vectors, scaled to length 1. Remembers what it encoded."""

    def __init__(self) -> None:
        from safetensors.torch import load_file
        from transformers import BertConfig

        config = BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
        self._model = BertModel(config)
        weights = load_file(backbone.folder() / "model.safetensors")
        self._model.load_state_dict(weights, strict=False)
        self._model.eval().requires_grad_(False)
        self._tokenizer: PreTrainedTokenizerBase = models.backbone_tokenizer()
        self._known: dict[str, Tensor] = {}

    def encode(self, texts: Sequence[str]) -> Float[Tensor, "texts hidden"]:
        """Unit vectors of the texts, in order."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if len(self._known) + len(new) > ENCODER_CACHE:
            self._known.clear()
            new = list(dict.fromkeys(texts))
        self._known.update(zip(new, self._encode(new), strict=True))
        return torch.stack([self._known[text] for text in texts])

    @torch.inference_mode()
    def _encode(self, texts: Sequence[str]) -> Float[Tensor, "texts hidden"]:
        result = torch.empty(len(texts), self._model.config.hidden_size)
        for rows, batch in inference.encoded_batches(self._model, self._tokenizer, texts):
            hidden = self._model(**batch).last_hidden_state
            real = batch["attention_mask"].unsqueeze(-1)
            result[rows] = torch.nn.functional.normalize((hidden * real).sum(1) / real.sum(1), dim=1)
        return result


_lock = threading.Lock()
_loaded: list[Resources] = []


def load(say: Callable[[str], None]) -> Resources:
    """The built-in set; ``say`` is told what is being prepared and may raise Cancelled. Loaded once a process, synonyms built once a machine."""
    with _lock:
        if not _loaded:
            say("sentence encoder")
            encoder = SentenceEncoder()
            _loaded.append(Resources(_synonyms(encoder, say), encoder, describe()))
        return _loaded[0]


def read_antonyms(path: Path = ANTONYMS) -> set[frozenset[str]]:
    """The pairs of our antonym list (``headword: antonym antonym ...`` a line), either way round."""
    pairs = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        headword, _, others = line.partition(":")
        pairs.update(frozenset((headword.strip(), other)) for other in others.split())
    return pairs


def _synonyms(encoder: SentenceEncoder, say: Callable[[str], None]) -> Synonyms:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file, save_file

    words = _whole_words()
    key = hashing.of_parts([backbone.DIGEST, hashing.of_file(ANTONYMS), str(NEIGHBOURS), hashing.of_parts(words)])[:16]
    path = paths.home() / "resources" / f"synonyms-{key}.safetensors"
    stored = _read_cache(path, load_file)
    if stored is None:
        parts = []
        for start in range(0, len(words), WORDS_AT_ONCE):
            say(f"synonyms, once on this machine, {start:,} of {len(words):,} words")
            parts.append(encoder.encode(words[start : start + WORDS_AT_ONCE]))
        vectors = torch.cat(parts)
        stored = {"vectors": vectors.numpy(), "neighbours": _neighbours(words, vectors, read_antonyms())}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.{threading.get_ident()}.partial")
            save_file(stored, partial)
            partial.replace(path)
        except (OSError, SafetensorError) as error:
            log.warning("The synonyms cannot be kept in %s (%s); the next start builds them again.", path.parent, error)
    return Synonyms(words, stored["vectors"], stored["neighbours"])


def _read_cache(path: Path, read: Callable[[Path], dict[str, Any]]) -> dict[str, Any] | None:
    """The stored arrays, or None if there are none or they are damaged; a cache that cannot be read is made anew."""
    from safetensors import SafetensorError

    try:
        arrays = read(path)
    except (FileNotFoundError, SafetensorError, ValueError):
        return None
    return arrays if {"vectors", "neighbours"} <= set(arrays) else None


def _whole_words() -> tuple[str, ...]:
    """The words of MiniLM's vocabulary that are whole words of letters."""
    vocabulary = models.backbone_tokenizer().get_vocab()
    return tuple(sorted(word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 1))


def _neighbours(words: Sequence[str], vectors: Float[Tensor, "words hidden"], antonyms: set[frozenset[str]]) -> Int[np.ndarray, "words neighbours"]:
    index = {word: i for i, word in enumerate(words)}
    pairs = [[index[word] for word in pair] for pair in antonyms if len(pair) == 2 and all(word in index for word in pair)]
    banned = torch.tensor(pairs + [pair[::-1] for pair in pairs])
    result = []
    for start in range(0, len(words), WORDS_AT_ONCE):
        cosines = vectors[start : start + WORDS_AT_ONCE] @ vectors.T
        here = banned[(banned[:, 0] >= start) & (banned[:, 0] < start + WORDS_AT_ONCE)]
        cosines[here[:, 0] - start, here[:, 1]] = -1.0
        rows = torch.arange(len(cosines))
        cosines[rows, rows + start] = 2.0  # a word is its own first neighbour, as TextAttack expects
        result.append(cosines.topk(NEIGHBOURS + 1, dim=1).indices.numpy())
    return np.concatenate(result)
