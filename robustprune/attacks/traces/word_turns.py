"""A trace word by word: the candidates for each word, the candidates that were tried, and the one that was accepted."""

from dataclasses import dataclass

from robustprune.attacks.traces.trace import AttackTrace, Candidates, Query, Swap


@dataclass(frozen=True)
class Turn:
    """The attack's turn on one word.

    Attributes:
        importance: importance of the word; None if the recipe does not rank words.
        refused: number of candidates that each constraint refused.
        tried: the replacements that the model was queried with, each with the true label's probability.
        taken: the replacement that the attack accepted in the end; None if it accepted none.
    """

    index: int
    word: str
    importance: float | None
    refused: dict[str, int]
    tried: tuple[tuple[str, float], ...]
    taken: str | None

    @property
    def best(self) -> tuple[str, float] | None:
        """The tried replacement with the lowest probability of the true label, or None if none was tried."""
        return min(self.tried, key=lambda one: one[1], default=None)


def turns(trace: AttackTrace) -> list[Turn]:
    """The turns, ordered by the first time that the attack reached each word."""
    steps = list(trace.of_kind(Candidates))
    probabilities = _by_word(trace)
    taken = {change.index: change.new for swap in trace.of_kind(Swap) for change in swap.changes}
    result = []
    for index in dict.fromkeys(step.index for step in steps):
        own = [candidate for step in steps if step.index == index for candidate in step.candidates]
        refused = [candidate.refused_by for candidate in own if candidate.refused_by]
        result.append(
            Turn(
                index,
                next(step.word for step in steps if step.index == index),
                trace.importance.get(index),
                {name: refused.count(name) for name in dict.fromkeys(refused)},
                probabilities.get(index, ()),
                taken.get(index),
            )
        )
    return result


def _by_word(trace: AttackTrace) -> dict[int, tuple[tuple[str, float], ...]]:
    """The tried replacements of each word with the true label's probability. Ranking queries come before all candidates and are ignored."""
    result: dict[int, list[tuple[str, float]]] = {}
    known: dict[int, list[str]] = {}
    for step in trace.steps:
        if isinstance(step, Candidates):
            known[step.index] = [candidate.word for candidate in step.candidates if candidate.refused_by is None]
        elif isinstance(step, Query) and known.get(step.index):
            # The queries of a turn come in the order of its candidates.
            result.setdefault(step.index, []).append((known[step.index].pop(0), step.probabilities[trace.label]))
    return {index: tuple(tried) for index, tried in result.items()}
