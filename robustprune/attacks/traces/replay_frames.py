"""A trace as a film: what stood there, what was known and what was being tried at every moment of an attack, for replay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from robustprune.attacks.traces.changes import Change, apply
from robustprune.attacks.traces.trace import AttackTrace, Candidates, Query, Rank, Step, Swap

Kind = Literal["start", "rank", "candidates", "swap", "end"]


@dataclass(frozen=True)
class Tried:
    """A candidate of the word at hand: refused by a constraint, or put to the model; ``probability`` is the true label's then.

    Both ``refused_by`` and ``probability`` are None for a candidate that the attack did not come to.
    """

    word: str
    refused_by: str | None
    similarity: float | None
    probability: float | None


@dataclass(frozen=True)
class Frame:
    """One moment.

    Attributes:
        kind: ``start``: the original; ``rank``: words were ranked; ``candidates``: replacements of one word were tried; ``swap``:
            one was taken; ``end``: the outcome.
        changes: what was changed so far, of the original's characters.
        index: the word at hand, of the original's words; None where no single word is.
        tried: the candidates of that word.
        taken: the changes that this moment brought.
        queries: how many texts the model was asked about so far.
        probability: the true label's, of the text as it stands.
    """

    kind: Kind
    changes: tuple[Change, ...]
    index: int | None
    tried: tuple[Tried, ...]
    taken: tuple[Change, ...]
    queries: int
    probability: float

    def text(self, original: str) -> str:
        """The text as it stands at this moment."""
        return apply(original, self.changes)


def frames(trace: AttackTrace) -> list[Frame]:
    """The moments of an attack in order: at least the start and the end. The last one's text is the text that the attack ended with."""
    result = [Frame("start", (), None, (), (), 0, trace.probabilities["original"][trace.label])]
    asked = 0
    for part in _parts(trace.steps):
        head = part[0]
        asked += sum(isinstance(step, Query) for step in part)
        last = replace(result[-1], index=None, tried=(), taken=(), queries=asked)
        if isinstance(head, Rank):
            result.append(replace(last, kind="rank"))
        elif isinstance(head, Candidates):
            result.append(replace(last, kind="candidates", index=head.index, tried=_tried(head, part[1:], trace.label)))
        elif isinstance(head, Swap):
            changes = _with(last.changes, head.changes)
            result.append(replace(last, kind="swap", changes=changes, taken=head.changes, index=head.changes[0].index, probability=head.after))
        # Queries before anything else, of the original and of words being deleted, belong to the ranking that follows.
    end = replace(result[-1], kind="end", changes=trace.changes, index=None, tried=(), taken=(), queries=trace.queries)
    return [*result, replace(end, probability=trace.probabilities["perturbed"][trace.label])]


def _parts(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """The steps cut so that every part is a step with the queries that followed it."""
    part: list[Step] = []
    for step in steps:
        if part and not isinstance(step, Query):
            yield part
            part = []
        part.append(step)
    if part:
        yield part


def _tried(step: Candidates, queries: Sequence[Query], label: int) -> tuple[Tried, ...]:
    """The candidates with the answers: those that passed were asked in their order, as far as the attack went."""
    answers = iter(query.probabilities[label] for query in queries)
    return tuple(Tried(one.word, one.refused_by, one.similarity, next(answers, None) if one.refused_by is None else None) for one in step.candidates)


def _with(changes: Sequence[Change], more: Sequence[Change]) -> tuple[Change, ...]:
    """The changes so far with further ones, which take the place of earlier changes of the same characters."""
    kept = [old for old in changes if not any((new.start < old.end and old.start < new.end) or (new.start, new.end) == (old.start, old.end) for new in more)]
    return tuple(sorted([*kept, *more], key=lambda change: (change.start, change.end)))
