"""A trace told word by word: what was thought of in the place of a word, what was tried, what was taken."""

from dataclasses import dataclass

from robustprune.attacks.traces.trace import AttackTrace, Candidates, Query, Swap


@dataclass(frozen=True)
class Turn:
    """One word's turn.

    Attributes:
        importance: the word's, None where the recipe ranks no words.
        refused: how many candidates each constraint refused.
        tried: what was put in its place, with the label's probability then.
        taken: what the attack took in the end; None if nothing.
    """

    index: int
    word: str
    importance: float | None
    refused: dict[str, int]
    tried: tuple[tuple[str, float], ...]
    taken: str | None

    @property
    def best(self) -> tuple[str, float] | None:
        """What lowered the label's probability most."""
        return min(self.tried, key=lambda one: one[1], default=None)


def turns(trace: AttackTrace) -> list[Turn]:
    """The turns in the order in which the attack first came to the words."""
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
    """What was tried in the place of each word, with the label's probability. Queries that rank words come before all candidates."""
    result: dict[int, list[tuple[str, float]]] = {}
    known: dict[int, list[str]] = {}
    for step in trace.steps:
        if isinstance(step, Candidates):
            known[step.index] = [candidate.word for candidate in step.candidates if candidate.refused_by is None]
        elif isinstance(step, Query) and known.get(step.index):
            # The queries of a turn come in the order of its candidates.
            result.setdefault(step.index, []).append((known[step.index].pop(0), step.probabilities[trace.label]))
    return {index: tuple(tried) for index, tried in result.items()}
