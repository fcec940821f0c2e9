"""A trace as a sequence of frames for replay. Every frame shows one moment of the attack: its text, its candidates and its queries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from robustprune.attacks.traces.changes import Change, apply
from robustprune.attacks.traces.trace import AttackTrace, Candidates, Query, Rank, Step, Swap

Kind = Literal["start", "rank", "candidates", "swap", "end"]


@dataclass(frozen=True)
class Tried:
    """A candidate for the current word. Either the constraint ``refused_by`` rejected it, or the model was queried with it.

    ``probability`` is the true label's probability in that query. Both fields are None if the attack ended before it reached the candidate.
    ``sense`` and ``source`` are those of the candidate.
    """

    word: str
    refused_by: str | None
    similarity: float | None
    probability: float | None
    sense: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Frame:
    """One moment of an attack.

    Attributes:
        kind: ``start``: the original text; ``rank``: the words were ranked; ``candidates``: replacements for one word were tried;
            ``swap``: a replacement was accepted; ``end``: the attack has ended.
        changes: the changes to the original text so far.
        index: index of the current word among the original's words; None if the frame concerns no single word.
        tried: the candidates for that word.
        taken: the changes that were made at this moment.
        queries: number of queries to the model so far.
        probability: the true label's probability for the current text.
    """

    kind: Kind
    changes: tuple[Change, ...]
    index: int | None
    tried: tuple[Tried, ...]
    taken: tuple[Change, ...]
    queries: int
    probability: float

    def text(self, original: str) -> str:
        """The current text at this moment."""
        return apply(original, self.changes)


def frames(trace: AttackTrace) -> list[Frame]:
    """The frames of an attack in order, with at least the start and the end. The text of the last frame is the final text of the attack."""
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
        # A part that begins with queries (of the original, or of texts with a word deleted) belongs to the ranking that follows it.
    end = replace(result[-1], kind="end", changes=trace.changes, index=None, tried=(), taken=(), queries=trace.queries)
    return [*result, replace(end, probability=trace.probabilities["perturbed"][trace.label])]


def _parts(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Splits the steps into parts. Every part is one step and the queries that follow it."""
    part: list[Step] = []
    for step in steps:
        if part and not isinstance(step, Query):
            yield part
            part = []
        part.append(step)
    if part:
        yield part


def _tried(step: Candidates, queries: Sequence[Query], label: int) -> tuple[Tried, ...]:
    """Joins candidates with the answers to their queries. The attack queries the candidates that passed in order, until it stops."""
    answers = iter(query.probabilities[label] for query in queries)
    return tuple(
        Tried(one.word, one.refused_by, one.similarity, next(answers, None) if one.refused_by is None else None, one.sense, one.source)
        for one in step.candidates
    )


def _with(changes: Sequence[Change], more: Sequence[Change]) -> tuple[Change, ...]:
    """Adds the changes ``more`` to ``changes``. A new change replaces earlier changes of the same characters."""
    kept = [old for old in changes if not any((new.start < old.end and old.start < new.end) or (new.start, new.end) == (old.start, old.end) for new in more)]
    return tuple(sorted([*kept, *more], key=lambda change: (change.start, change.end)))
