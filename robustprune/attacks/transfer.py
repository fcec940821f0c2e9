"""Transfer of attacks: how many of the adversarial texts that flip one model also fool another model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from robustprune.attacks.scores import Result
from robustprune.base.rates import Rate, wilson

# Returns the class that a model predicts for each text.
Predict = Callable[[Sequence[str]], Sequence[int]]


@dataclass(frozen=True)
class Cell:
    """How well adversarial texts transfer from ``source`` to ``target``.

    ``texts`` counts the texts that flipped ``source`` and whose original ``target`` classified correctly; ``fooled`` counts those of
    them whose perturbed form ``target`` misclassifies.
    """

    source: str
    target: str
    texts: int
    fooled: int

    @property
    def rate(self) -> Rate:
        """The share of fooled texts, with its Wilson interval."""
        return wilson(self.fooled, self.texts)


@dataclass(frozen=True)
class Transfer:
    """The transfer of every model's adversarial texts to every model: ``cells`` per pair of models, ``texts`` per adversarial text."""

    cells: tuple[Cell, ...]
    texts: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON object: ``cells`` with rates and intervals, and ``texts`` with the models that each text fools."""
        cells = [
            {"source": c.source, "target": c.target, "texts": c.texts, "fooled": c.fooled, "rate": c.rate.value, "low": c.rate.low, "high": c.rate.high}
            for c in self.cells
        ]
        return {"cells": cells, "texts": list(self.texts)}


def transfer(results: dict[str, Sequence[Result]], predict: dict[str, Predict]) -> Transfer:
    """Classifies the texts that flipped each model with every model. ``results`` holds each model's results on the same texts."""
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
