"""What readers said of attacked texts, as it is kept in ``assets/readings``: one file a reading.

A reader sees sentences and the rubric, nothing else. The letters of a verdict are those that hold. Of a single swap: M the sentence keeps its
meaning, G it is grammatical, F the swap is only another form of the same word, O another fact is stated. Of a whole text: S it keeps its
label, R it reads as acceptable English.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robustprune.base import paths
from robustprune.base.rates import Rate, wilson

FOLDER = paths.ASSETS / "readings"


@dataclass(frozen=True)
class Reading:
    """One reading, with the rates of what holds and their 95 % intervals (Wilson).

    Attributes:
        about: day, attack, seed, texts and models, and which near-synonyms: the version of the rules and of our list.
        candidates: believable candidates: M and G and not F.
        swaps: believable swaps of flipped texts.
        turned: swaps of flipped texts with O.
        forms: swaps of flipped texts with F.
        same_label: flipped texts with S.
        english: flipped texts with R.
    """

    about: dict[str, Any]
    candidates: Rate
    swaps: Rate
    turned: Rate
    forms: Rate
    same_label: Rate
    english: Rate


def read(folder: Path = FOLDER) -> list[Reading]:
    """All readings, in the order of their seeds."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    return [_reading(document) for document in sorted(documents, key=lambda one: one["seed"])]


def _reading(document: dict[str, Any]) -> Reading:
    candidates, swaps = ([one["verdict"] for one in document[name]] for name in ("candidates", "swaps"))
    texts = document["whole_texts"]
    about = {name: value for name, value in document.items() if name not in ("candidates", "swaps", "whole_texts")}
    believable = [[{"M", "G"} <= set(verdict) and "F" not in verdict for verdict in verdicts] for verdicts in (candidates, swaps)]
    held = [[letter in verdict for verdict in verdicts] for letter, verdicts in (("O", swaps), ("F", swaps), ("S", texts), ("R", texts))]
    return Reading(about, *(wilson(sum(holds), len(holds)) for holds in (*believable, *held)))
