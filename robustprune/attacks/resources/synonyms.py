"""Sources of near-synonyms that know words without their context: nearest neighbours among word vectors, or a list of pairs.

:mod:`by_sense` is the source that reads the sentence.
"""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from robustprune.attacks.resources import downloads
from robustprune.attacks.resources.encoder import SentenceEncoder
from robustprune.attacks.resources.names import MIN_ANGULAR_SIMILARITY, MIN_COSINE, MIN_COSINE_COUNTER_FITTED, NEIGHBOURS
from robustprune.attacks.traces.changes import Word
from robustprune.base import hashing, partials, paths
from robustprune.base.errors import ResourceMissing
from robustprune.base.messages import say
from robustprune.base.progress import Progress
from robustprune.models import backbone

log = logging.getLogger(__name__)

WORDS_AT_ONCE = 2048
ANTONYMS = paths.ASSETS / "antonyms.txt"
# The shape (words, dimensions) of the counter-fitted vectors as their authors released them (Mrksic et al. 2016).
COUNTER_FITTED_SHAPE = (65_713, 300)


@dataclass(frozen=True)
class Synonym:
    """A near-synonym for a word of a text.

    Attributes:
        word: the near-synonym, in lower case and in the form that fits.
        cosine: how near it is; None if the source does not measure it.
        refused_by: why the source does not offer it; None if it does.
        sense: the word and the gloss that both words share; None if the source does not know senses.
        source: the list that the near-synonym comes from; None if the source does not name any.
    """

    word: str
    cosine: float | None = None
    refused_by: str | None = None
    sense: str | None = None
    source: str | None = None


class SynonymSource(Protocol):
    """A source of near-synonyms.

    Attributes:
        min_cosine: the lowest cosine of a near-synonym, for sources that measure it.
        min_similarity: the lowest angular similarity of a window of words before and after a swap, for the built-in encoder.
    """

    min_cosine: float
    min_similarity: float

    def offers(self, text: str, words: tuple[Word, ...], index: int, now: str) -> list[Synonym]:
        """The near-synonyms for the word at an index of an original text, nearest first, including those below ``min_cosine`` and refused ones.

        ``now`` is the word that stands there at the moment, after earlier swaps.
        """


@dataclass(frozen=True)
class Neighbours:
    """Words, their unit vectors, and the indices of each word's nearest neighbours: first the word itself, then the nearest first."""

    words: tuple[str, ...]
    vectors: Float[np.ndarray, "words hidden"]
    neighbours: Int[np.ndarray, "words neighbours"]
    min_cosine: float
    min_similarity: float = MIN_ANGULAR_SIMILARITY

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {word: i for i, word in enumerate(self.words)})

    def of(self, word: str) -> list[tuple[str, float | None]]:
        """The NEIGHBOURS nearest words with their cosines, nearest first."""
        index = self._index.get(word)
        if index is None:
            return []
        others = self.neighbours[index, 1:]
        cosines = self.vectors[others] @ self.vectors[index]
        return [(self.words[i], float(cosine)) for i, cosine in zip(others, cosines, strict=True)]

    def offers(self, text: str, words: tuple[Word, ...], index: int, now: str) -> list[Synonym]:
        """The neighbours of the word ``now``, whatever its context."""
        return [Synonym(other, cosine) for other, cosine in self.of(now.lower())]


class Pairs:
    """A list of synonym pairs, read from a file with two words per line. Each pair counts in both directions."""

    min_cosine, min_similarity = -1.0, MIN_ANGULAR_SIMILARITY

    def __init__(self, path: Path) -> None:
        self._of: dict[str, dict[str, None]] = {}
        self._name = path.name
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ResourceMissing("attacks.synonyms_cannot_be_read", path=path, why=error) from error
        for number, line in enumerate(lines, 1):
            words = line.lower().split()
            if words and len(words) != 2:
                raise ResourceMissing("attacks.synonym_line_wrong", number=number, path=path, line=line[:60])
            for word, other in (words, words[::-1]) if words else ():
                self._of.setdefault(word, {})[other] = None
        if not self._of:
            raise ResourceMissing("attacks.no_synonym_pairs", path=path)

    def offers(self, text: str, words: tuple[Word, ...], index: int, now: str) -> list[Synonym]:
        """The words that form a pair with the word ``now``, in alphabetical order."""
        word = now.lower()
        return [Synonym(other, source=self._name) for other in sorted(self._of.get(word, ())) if other != word]


def read_antonyms(path: Path = ANTONYMS) -> set[frozenset[str]]:
    """Reads the unordered pairs of our antonym list. Every line has the form ``headword: antonym antonym ...``."""
    pairs = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        headword, _, others = line.partition(":")
        pairs.update(frozenset((headword.strip(), other)) for other in others.split())
    return pairs


def of_minilm(encoder: SentenceEncoder, progress: Progress) -> Neighbours:
    """Neighbours among the whole words of MiniLM's vocabulary, each encoded as a sentence. Pairs of our antonym list are excluded.

    The vectors are computed once and then kept on this machine.
    """
    words = _whole_words()

    def build() -> dict[str, np.ndarray]:
        parts = []
        for start in range(0, len(words), WORDS_AT_ONCE):
            progress(start, len(words), say("attacks.building_synonyms", done=start, total=len(words)))
            parts.append(encoder.encode(words[start : start + WORDS_AT_ONCE]))
        vectors = torch.cat(parts)
        return {"vectors": vectors.numpy(), "neighbours": nearest(words, vectors, read_antonyms())}

    key = hashing.of_parts([backbone.DIGEST, hashing.of_file(ANTONYMS), str(NEIGHBOURS), hashing.of_parts(words)])
    stored = _kept(f"synonyms-{key[:16]}", build)
    return Neighbours(words, stored["vectors"], stored["neighbours"], MIN_COSINE)


def of_counter_fitted(progress: Progress) -> Neighbours:
    """Neighbours among the downloaded counter-fitted vectors. No antonym list is needed, because antonyms are far apart in them.

    Raises:
        ResourceMissing: the vectors are no longer on this machine, or do not have the shape of the release.
    """
    found = downloads.installed("counter-fitted")
    if found is None:
        raise ResourceMissing("attacks.counter_fitted_gone")
    progress(0, 1, say("attacks.preparing_counter_fitted"))
    words, vectors = _read_vectors(found)

    def build() -> dict[str, np.ndarray]:
        progress(0, 1, say("attacks.building_neighbours"))
        return {"vectors": vectors.numpy(), "neighbours": nearest(words, vectors, set())}

    stored = _kept(f"counter-fitted-{hashing.of_file(found)[:16]}", build)
    return Neighbours(words, stored["vectors"], stored["neighbours"], MIN_COSINE_COUNTER_FITTED)


def nearest(words: Sequence[str], vectors: Float[Tensor, "words hidden"], antonyms: Iterable[frozenset[str]]) -> Int[np.ndarray, "words neighbours"]:
    """The indices of each word's neighbours: the word itself, then its NEIGHBOURS nearest words without its antonyms."""
    index = {word: i for i, word in enumerate(words)}
    pairs = [[index[word] for word in pair] for pair in antonyms if len(pair) == 2 and all(word in index for word in pair)]
    banned = torch.tensor(pairs + [pair[::-1] for pair in pairs], dtype=torch.long).reshape(-1, 2)
    result = []
    for start in range(0, len(words), WORDS_AT_ONCE):
        cosines = vectors[start : start + WORDS_AT_ONCE] @ vectors.T
        here = banned[(banned[:, 0] >= start) & (banned[:, 0] < start + WORDS_AT_ONCE)]
        cosines[here[:, 0] - start, here[:, 1]] = -1.0
        rows = torch.arange(len(cosines))
        cosines[rows, rows + start] = 2.0  # a word is its own first neighbour, as TextAttack expects
        result.append(cosines.topk(NEIGHBOURS + 1, dim=1).indices.numpy())
    return np.concatenate(result)


def _read_vectors(path: Path) -> tuple[tuple[str, ...], Float[Tensor, "words hidden"]]:
    words, rows = [], []
    with open(path, encoding="utf-8") as file:
        for line in file:
            word, _, numbers = line.rstrip().partition(" ")
            words.append(word)
            rows.append(np.array(numbers.split(), dtype=np.float32))
    shape = (len(rows), len(rows[0]) if rows else 0)
    if shape != COUNTER_FITTED_SHAPE or any(len(row) != shape[1] for row in rows):
        raise ResourceMissing("attacks.vectors_wrong_shape", path=path, count=shape[0], width=shape[1], expected=COUNTER_FITTED_SHAPE)
    return tuple(words), torch.nn.functional.normalize(torch.from_numpy(np.stack(rows)), dim=1)


def _kept(name: str, build: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Returns arrays that are built once and then kept in a file. An unreadable file is built again; a failed write gives a warning."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file, save_file

    path = paths.home() / "resources" / f"{name}.safetensors"
    stored = _read(path, load_file)
    if stored is None:
        stored = build()
        try:
            with partials.file(path) as partial:
                save_file(stored, partial)
        except (OSError, SafetensorError) as error:
            log.warning("The synonyms cannot be kept in %s (%s); the next start builds them again.", path.parent, error)
    return stored


def _read(path: Path, read: Callable[[Path], dict[str, Any]]) -> dict[str, Any] | None:
    from safetensors import SafetensorError

    try:
        arrays = read(path)
    except (FileNotFoundError, SafetensorError, ValueError):
        return None
    return arrays if {"vectors", "neighbours"} <= set(arrays) else None


def _whole_words() -> tuple[str, ...]:
    """The entries of MiniLM's vocabulary that are whole words of at least two letters, sorted."""
    vocabulary = backbone.tokenizer().get_vocab()
    return tuple(sorted(word for word in vocabulary if re.fullmatch("[A-Za-z]{2,}", word)))
