"""``bench synonyms``: measures the quality of the built-in synonyms with an external lexicon, and recommends thresholds for the built-in set.

The lexicon comes from the release of the counter-fitted vectors. It has two words per line. A pair counts in both directions. A pair that is
listed as synonyms and as antonyms counts as antonyms.

*Word vectors.* For every minimum cosine, the benchmark looks at the candidates that are offered for a word, before the constraints on word
class and sentence similarity. The lexicon is far from complete, so the share of candidates that it lists as synonyms is a lower bound. At
the highest cosine nearly every candidate is a synonym. So the share there estimates how much the lexicon covers, and a share divided by this
coverage estimates the precision. The recall is the share of the lexicon's synonym pairs that are offered. The recommended cosine has the
highest F1 of precision and recall, on sentiment words and with our antonym list, among the cosines at which fewer than 1 % of the candidates
are antonyms.

*Sentence similarity.* In windows that are cut as in TextFooler, one word is replaced by a word of one of five kinds: a synonym or an
antonym in the lexicon, a random word of about the same frequency, or a word that the built-in set offers, which is either a synonym in the
lexicon or another word. For encoders with the first one to all six layers of MiniLM, the recommended minimum angular similarity has the
largest difference between the share of accepted synonyms and the mean of the shares of accepted antonyms and random words. The last two
kinds show how well a threshold separates good from bad words among the offered ones.
"""

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator, Sequence
from itertools import permutations, product
from pathlib import Path
from typing import Any

import torch

from robustprune.attacks.resources.encoder import SentenceEncoder
from robustprune.attacks.resources.names import MIN_ANGULAR_SIMILARITY, MIN_ANGULAR_SIMILARITY_USE, MIN_COSINE, WINDOW, WINDOW_LAYERS
from robustprune.attacks.resources.synonyms import Neighbours, nearest, of_minilm
from robustprune.base.errors import DataError
from robustprune.texts import datasets
from robustprune.texts.datasets import Texts

COSINES = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
ANGULAR_SIMILARITIES = sorted([*(round(0.75 + 0.01 * step, 2) for step in range(25)), MIN_ANGULAR_SIMILARITY_USE])
MAX_ANTONYMS = 0.01
SENTIMENT_WORDS, SWAPS, SEED = 200, 1000, 0
MIN_TEXTS = 20  # the counts of a word in fewer texts say little about its relation to a label
MIN_ODDS = 4.0  # odds ratio from which a word counts as a sentiment word: its odds under one label over its odds under the others
LIKE_FREQUENCY = 25  # a word of about the same frequency is at most this many ranks of frequency away
WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")

Related = dict[str, set[str]]


def measure(lexicon: Path, dataset: str | None, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measures word vectors and sentence similarity.

    If ``dataset`` is None, it uses SST-2 if that is on this machine, otherwise the demo texts, which are too few for this benchmark.

    Raises:
        DataError: the lexicon or the data set cannot be read, or no word of the texts is a sentiment word.
    """
    synonyms, antonyms = read_lexicon(lexicon)
    name = dataset or datasets.default_for("sst2")
    training, evaluation = datasets.load(name, "calibration"), datasets.load(name, "evaluation")
    encoder = SentenceEncoder()
    source = of_minilm(encoder, lambda _done, _total, doing, _=None: tell(str(doing)))
    unlisted = Neighbours(source.words, source.vectors, nearest(source.words, torch.from_numpy(source.vectors), ()), source.min_cosine)
    known = frozenset(source.words)
    words = {"sentiment": sentiment_words(training, SENTIMENT_WORDS, known), "content": content_words(training, known)}
    if not words["sentiment"]:
        raise DataError("bench.no_telling_word", min_texts=MIN_TEXTS, name=name)
    rows: list[dict[str, Any]] = []
    for (listed, neighbours), group, cosine in product((("without", unlisted), ("with", source)), words, COSINES):
        rows.append({"words": group, "antonym_list": listed, "cosine": cosine} | shares(neighbours, words[group], cosine, synonyms, antonyms))
        tell(_line(rows[-1]))
    offered = {word: {other for other, cosine in source.of(word) if cosine >= source.min_cosine} for word in words["content"]}
    kinds = {
        "synonym": synonyms,
        "antonym": antonyms,
        "random": _alike(words["content"], synonyms, antonyms),
        "offered_synonym": {word: others & synonyms[word] for word, others in offered.items()},
        "offered_other": {word: others - synonyms[word] for word, others in offered.items()},
    }
    accepted = []
    for layers in range(1, 7):
        found = {kind: angular_similarities(encoder.first_layers(layers), evaluation, others) for kind, others in kinds.items()}
        for least in ANGULAR_SIMILARITIES:
            shared = {kind: sum(at >= least for at in all_of) / max(len(all_of), 1) for kind, all_of in found.items()}
            accepted.append({"layers": layers, "angular": least, **shared, "apart": shared["synonym"] - (shared["antonym"] + shared["random"]) / 2})
            tell(_line(accepted[-1]))
    f1 = f1_by_cosine(rows)
    apart = {layers: max((row for row in accepted if row["layers"] == layers), key=lambda row: row["apart"]) for layers in range(1, 7)}
    return {
        "dataset": name,
        "words": {group: len(of_group) for group, of_group in words.items()},
        "sentiment_words": words["sentiment"],
        "candidates": rows,
        "f1_by_cosine": f1,
        "swaps": {kind: len(all_of) for kind, all_of in found.items()},
        "accepted": accepted,
        "recommended": {"cosine": max(f1, key=f1.__getitem__, default=None), "angular": {layers: row["angular"] for layers, row in apart.items()}},
        "in_use": {"cosine": MIN_COSINE, "angular": MIN_ANGULAR_SIMILARITY, "layers": WINDOW_LAYERS},
        "published": {"cosine": 0.5, "angular": 0.840845057, "on": "counter-fitted vectors, Universal Sentence Encoder (TextFooler)"},
    }


def read_lexicon(folder: Path) -> tuple[Related, Related]:
    """Returns the synonyms of every word and the antonyms of every word. The lexicon is only for measuring; the project contains none of it."""
    antonyms = _read_pairs(folder / "ppdb_antonyms.txt", folder / "wordnet_antonyms.txt")
    synonyms = _read_pairs(folder / "ppdb_synonyms.txt")
    for word in synonyms:
        synonyms[word] -= antonyms[word]
    return synonyms, antonyms


def _read_pairs(*files: Path) -> Related:
    pairs: Related = defaultdict(set)
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").lower().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError("bench.lexicon_cannot_be_read", path=path, why=error, file=path.name) from error
        for words in map(str.split, lines):
            for word, other in permutations(words) if len(words) == 2 and words[0] != words[1] else ():
                pairs[word].add(other)
    return pairs


def sentiment_words(texts: Texts, count: int, known: Container[str] | None = None) -> list[str]:
    """Returns the most frequent content words whose odds under one label are at least MIN_ODDS times their odds under the other labels.

    Half a text is added to every count. Without it, a word that never occurs under a label would have an infinite odds ratio.
    """
    labels, total = Counter(texts.labels), _texts_with(texts)
    having = {label: _texts_with(texts, label) for label in labels}

    def ratio(word: str, label: int) -> float:
        here, elsewhere, size = having[label][word], total[word] - having[label][word], labels[label]
        return (here + 0.5) / (size - here + 0.5) * (len(texts) - size - elsewhere + 0.5) / (elsewhere + 0.5)

    return [word for word in content_words(texts, known) if max(ratio(word, label) for label in labels) >= MIN_ODDS][:count]


def content_words(texts: Texts, known: Container[str] | None = None) -> list[str]:
    """Returns the words that occur in at least MIN_TEXTS texts, without scikit-learn's stop words, most frequent first.

    If ``known`` is given, it returns only words in ``known``.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    counts = _texts_with(texts)
    taken = (word for word in counts if counts[word] >= MIN_TEXTS and word not in ENGLISH_STOP_WORDS and (known is None or word in known))
    return sorted(taken, key=lambda word: (-counts[word], word))


def _texts_with(texts: Texts, label: int | None = None) -> Counter[str]:
    rows = zip(texts.texts, texts.labels, strict=True)
    return Counter(word for text, of in rows if label in (None, of) for word in set(WORD.findall(text.lower())))


def shares(source: Neighbours, words: Sequence[str], cosine: float, synonyms: Related, antonyms: Related) -> dict[str, float]:
    """Returns statistics of the candidates that are offered for the words at a minimum cosine, compared with the lexicon."""
    known, count = set(source.words), Counter[str]()
    for word in words:
        near = {other for other, at in source.of(word) if at >= cosine}
        same, opposite = (known & related.get(word, set()) for related in (synonyms, antonyms))
        count.update(near=len(near), none=not near, same=len(same), opposite=len(opposite), near_same=len(near & same), near_opposite=len(near & opposite))
    return {
        "candidates_a_word": count["near"] / len(words),
        "words_without": count["none"] / len(words),
        "antonyms": count["near_opposite"] / max(count["near"], 1),
        "synonyms": count["near_same"] / max(count["near"], 1),
        "synonym_pairs_offered": count["near_same"] / max(count["same"], 1),
        "antonym_pairs_offered": count["near_opposite"] / max(count["opposite"], 1),
    }


def f1_by_cosine(rows: Sequence[dict[str, Any]]) -> dict[float, float]:
    """Returns the F1 that the docstring of this module defines, for every cosine at which few enough candidates are antonyms."""
    rows = [row for row in rows if row["words"] == "sentiment" and row["antonym_list"] == "with"]
    coverage = max(rows, key=lambda row: row["cosine"])["synonyms"] or 1.0
    pairs = {row["cosine"]: (row["synonyms"] / coverage, row["synonym_pairs_offered"]) for row in rows if row["antonyms"] < MAX_ANTONYMS}
    return {cosine: 2 * precision * recall / max(precision + recall, 1e-12) for cosine, (precision, recall) in pairs.items()}


def angular_similarities(encoder: SentenceEncoder, texts: Texts, others: Related) -> list[float]:
    """Returns the angular similarity of a window before and after a swap of one word, for a seeded draw of swaps."""
    swaps, draw, befores, afters = sorted(_swaps(texts, others)), random.Random(SEED), [], []
    for text, start, end, left, right in draw.sample(swaps, min(SWAPS, len(swaps))):
        befores.append(text[left:right])
        afters.append(text[left:start] + draw.choice(sorted(others[text[start:end]])) + text[end:right])
    if not befores:
        return []
    cosines = (encoder.encode(befores) * encoder.encode(afters)).sum(1).double().clamp(-1, 1)
    return (1 - cosines.arccos() / math.pi).tolist()


def _swaps(texts: Texts, others: Related) -> Iterator[tuple[str, int, int, int, int]]:
    """Yields every word that can be replaced, as the text, the span of the word and the span of its window.

    It skips texts shorter than a window, because the sentence constraint does not check them.
    """
    for text in map(str.lower, texts.texts):
        words = list(WORD.finditer(text))
        for i, word in enumerate(words if len(words) >= WINDOW else ()):
            if others.get(word.group()):
                first = min(max(i - WINDOW // 2, 0), len(words) - WINDOW)
                yield text, *word.span(), words[first].start(), words[first + WINDOW - 1].end()


def _alike(words: Sequence[str], synonyms: Related, antonyms: Related) -> Related:
    """Returns, for every word, the words of about the same frequency that are neither its synonyms nor its antonyms in the lexicon."""
    near = {word: set(words[max(i - LIKE_FREQUENCY, 0) : i + LIKE_FREQUENCY + 1]) for i, word in enumerate(words)}
    return {word: others - {word} - synonyms[word] - antonyms[word] for word, others in near.items()}


def _line(row: dict[str, Any]) -> str:
    return "  ".join(f"{key} {value:.4f}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items())
