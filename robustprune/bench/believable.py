"""``bench believable``: what a dictionary and a lexicon can tell of the near-synonyms that attacks offer, and sheets for readers.

Only readers can tell whether a swap is believable. What can be counted: how many content words have a candidate; how many candidates are other
forms of the same word, listed opposites, or pairs that an independent lexicon knows as synonyms; and, after Chiang and Lee (ACL Findings
2023), whether WordNet lists both words together in the sense that fits the text best (``matched``), only in another one (``mismatched``), or
not at all (``unlisted``).

A reading sheet holds what is to be read, drawn with a seed out of attacks: offered candidates, swaps of flipped texts, and whole flipped texts.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from robustprune.attacks.engine import library
from robustprune.attacks.resources import forms, loading, sense_list, sentences, wordnet
from robustprune.attacks.resources.encoder import SentenceEncoder
from robustprune.attacks.resources.names import SENSES_VERSION
from robustprune.attacks.resources.synonyms import SynonymSource, read_antonyms
from robustprune.attacks.traces import changes
from robustprune.attacks.traces.trace import AttackTrace, Candidates
from robustprune.base.errors import DataError
from robustprune.bench.lexicon import read_lexicon
from robustprune.texts import datasets

# How much is drawn for a sheet: candidates and swaps, at most so many a text; whole texts.
DRAWN, CANDIDATES_A_TEXT, SWAPS_A_TEXT, TEXTS_DRAWN = 120, 3, 2, 60


def measure(dataset: str, examples: int, seed: int, lexicon: Path | None, tell: Callable[[str], None]) -> dict[str, Any]:
    """Counts the offers for a seeded sample of evaluation texts. All shares are in [0, 1]; ``lexicon`` is None without a lexicon.

    Raises:
        DataError: the texts or the lexicon cannot be read, or the texts have no content words.
    """
    texts = datasets.load(dataset, "evaluation").sample(examples, seed)
    encoder = loading.sentence_encoder()
    source = loading.by_sense(encoder, lambda _done, _total, doing, _=None: tell(str(doing)))
    synonyms, opposites = read_lexicon(lexicon) if lexicon else ({}, {})
    content, offered, count = 0, 0, Counter[str]()
    for number, text in enumerate(texts.texts, 1):
        for word, letter, candidates in offers(source, text):
            content, offered = content + 1, offered + bool(candidates)
            count.update(_kind(text, word, letter, other, encoder) for other in candidates)
            count.update(_listed(word, letter, candidates, synonyms, opposites))
        if number % 50 == 0:
            tell(f"{number} of {len(texts)} texts")
    if not content:
        raise DataError("bench.no_content_words", name=dataset)
    pairs = sum(count[kind] for kind in ("matched", "mismatched", "inflections", "unlisted"))
    shares = {kind: count[kind] / max(pairs, 1) for kind in ("matched", "mismatched", "inflections", "unlisted", "antonyms")}
    return {
        "dataset": dataset,
        "texts": len(texts),
        "seed": seed,
        "list": sense_list.version(),
        "rules": SENSES_VERSION,
        "content_words": content,
        "candidates": pairs,
        "coverage": offered / content,
        "candidates_mean": pairs / max(offered, 1),
        **shares,
        "lexicon": count["listed"] / max(count["known"], 1) if lexicon else None,
    }


def offers(source: SynonymSource, text: str) -> Iterable[tuple[str, str, list[str]]]:
    """Every content word of a text with its word class (n, v, a or r) and the near-synonyms that are offered for it.

    Content words are nouns, verbs, adjectives and adverbs by the tagger; not names, auxiliaries, or words of scikit-learn's list of stop words.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    words = changes.places(text, library.textattack().shared.AttackedText(text).words)
    document = sentences.parsed(text)
    for index, word in enumerate(words):
        span = document.char_span(word.start, word.end)
        if span is None or word.text.lower() in ENGLISH_STOP_WORDS:
            continue
        token = span.root
        if token.pos_ in sentences.LETTERS and not token.ent_type_ and token.dep_ not in ("aux", "auxpass", "neg"):
            found = [one.word for one in source.offers(text, words, index, word.text) if one.refused_by is None]
            yield word.text.lower(), sentences.LETTERS[token.pos_], found


def _kind(text: str, word: str, letter: str, other: str, encoder: SentenceEncoder) -> str:
    """What WordNet tells of a pair: an inflection or derivation, the sense that fits the text best, another sense, or nothing."""
    lemma, its = ((forms.lemmas(one, letter) or (one,))[0] for one in (word, other))
    reader = wordnet.reader()
    synsets = reader.synsets(lemma, letter)
    derived = {form.name() for synset in synsets for one in synset.lemmas() if one.name() == lemma for form in one.derivationally_related_forms()}
    if lemma == its or {its, other} & derived:
        return "inflections"
    shared = [synset for synset in synsets if its in {name.lower() for name in synset.lemma_names()}]
    if not shared:
        return "unlisted"
    vectors = encoder.encode([text, *(f"{lemma}: {synset.definition()}" for synset in synsets)])
    best = synsets[int((vectors[1:] @ vectors[0]).argmax())]
    return "matched" if best in shared else "mismatched"


def _listed(word: str, letter: str, candidates: Sequence[str], synonyms: dict, opposites: dict) -> Counter[str]:
    """How many pairs are listed opposites, how many have a word that the lexicon knows, and how many of these the lexicon lists."""
    ours, count = read_antonyms(), Counter[str]()
    bases = {word, *forms.lemmas(word, letter)}
    for other in candidates:
        its = {other, *forms.lemmas(other, letter)}
        count["antonyms"] += any(frozenset((a, b)) in ours or b in opposites.get(a, ()) for a in bases for b in its)
        count["known"] += any(a in synonyms for a in bases)
        count["listed"] += any(b in synonyms.get(a, ()) for a in bases for b in its)
    return count


def write_sheet(traces: Iterable[AttackTrace], folder: Path, seed: int) -> dict[str, int]:
    """Writes candidates.json, swaps.json and texts.json for readers, and returns how many items each has.

    Raises:
        OSError: the folder cannot be written to.
    """
    draw, candidates, swaps, texts, known = random.Random(seed), [], [], [], set()
    for trace in traces:
        free: dict[int, tuple[str, list[str]]] = {}
        for step in trace.of_kind(Candidates):  # of a word that is visited again, the first visit counts
            free.setdefault(step.index, (step.word, [one.word for one in step.candidates if one.refused_by is None]))
        words = [(trace.text, word, draw.choice(others)) for word, others in free.values() if others]
        candidates += draw.sample(words, min(CANDIDATES_A_TEXT, len(words)))
        if trace.outcome == "flipped" and (trace.text, trace.perturbed) not in known:
            known.add((trace.text, trace.perturbed))
            texts.append({"original": trace.text, "perturbed": trace.perturbed})
            made = [(trace.text, change.old, change.new) for change in trace.changes]
            swaps += draw.sample(made, min(SWAPS_A_TEXT, len(made)))
    chosen = {
        "candidates": [_swap(*one) for one in draw.sample(candidates, min(DRAWN, len(candidates)))],
        "swaps": [_swap(*one) for one in draw.sample(swaps, min(DRAWN, len(swaps)))],
        "texts": draw.sample(texts, min(TEXTS_DRAWN, len(texts))),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in chosen.items():
        numbered = [{"id": number, **row} for number, row in enumerate(rows)]
        (folder / f"{name}.json").write_text(json.dumps(numbered, indent=1, ensure_ascii=False), encoding="utf-8")
    return {name: len(rows) for name, rows in chosen.items()}


def _swap(text: str, old: str, new: str) -> dict[str, str]:
    return {"original": text, "swap": f"{old} -> {new}"}
