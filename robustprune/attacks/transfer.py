"""Whether the texts that fool one model fool another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from robustprune.attacks.scores import Result
from robustprune.base.rates import Rate, wilson

# The classes that a model predicts for texts.
Predict = Callable[[Sequence[str]], Sequence[int]]


@dataclass(frozen=True)
class Cell:
    """Of the texts that flipped ``source``, those that ``target`` had right before: how many make it wrong, too."""

    source: str
    target: str
    texts: int
    fooled: int

    @property
    def rate(self) -> Rate:
        """The share with its interval."""
        return wilson(self.fooled, self.texts)


@dataclass(frozen=True)
class Transfer:
    """A table of every model's adversarial texts on every model, and the same text by text."""

    cells: tuple[Cell, ...]
    texts: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON object: ``cells`` with rates and intervals, ``texts`` with whom each one fools."""
        cells = [
            {"source": c.source, "target": c.target, "texts": c.texts, "fooled": c.fooled, "rate": c.rate.value, "low": c.rate.low, "high": c.rate.high}
            for c in self.cells
        ]
        return {"cells": cells, "texts": list(self.texts)}


def transfer(results: dict[str, Sequence[Result]], predict: dict[str, Predict]) -> Transfer:
    """Asks every model about the texts that flipped the others. ``results``: of the same texts, by model."""
    cells, texts = [], []
    right = {name: {result.example for result in own if result.outcome not in ("skipped", "stopped")} for name, own in results.items()}
    for source, own in results.items():
        flipped = [result for result in own if result.outcome == "flipped"]
        answers = {target: _wrong(flipped, predict[target]) for target in results}
        for target in results:
            eligible = [wrong for result, wrong in zip(flipped, answers[target], strict=True) if result.example in right[target]]
            cells.append(Cell(source, target, len(eligible), sum(eligible)))
        for place, result in enumerate(flipped):
            fooled = {target: answers[target][place] if result.example in right[target] else None for target in results}
            texts.append({"source": source, "example": result.example, "text": result.text, "perturbed": result.perturbed, "fools": fooled})
    return Transfer(tuple(cells), tuple(texts))


def _wrong(results: Sequence[Result], predict: Predict) -> list[bool]:
    predicted = predict([result.perturbed for result in results]) if results else []
    return [int(answer) != result.label for answer, result in zip(predicted, results, strict=True)]
