"""Everything that one attack did to one text, in the order in which it happened: enough to replay it without the model.

A trace is one line of JSON Lines, on disk, for download and in the store.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import Any, ClassVar, Literal, Self, TypeVar, get_args, get_origin, get_type_hints

from robustprune.attacks.traces.changes import Change, Word

VERSION = 2
T = TypeVar("T")
# skipped: wrong from the start; held: within the budgets; stopped: by a time limit or Cancel, so nothing is known.
Outcome = Literal["skipped", "flipped", "held", "stopped"]


# What may stand in fields that hold plain values: JSON has one kind of number.
PLAIN = {str: str, int: int, float: float | int, int | None: int | None, str | None: str | None, float | None: float | int | None, dict: dict}


@cache
def _kinds(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    found = {one.name: PLAIN.get(dict if get_origin(hints[one.name]) is dict else hints[one.name]) for one in fields(cls)}
    return {name: kind for name, kind in found.items() if kind}


def _checked(made: T) -> T:
    """What was made of a JSON object. Raises TypeError if a plain value in it is of another kind than its field."""
    for name, kind in _kinds(type(made)).items():
        if not isinstance(getattr(made, name), kind):
            raise TypeError(f"{name} of a {type(made).__name__} is {getattr(made, name)!r}")
    return made


def _all(kind: type, values: Any) -> list[Any]:
    """A list of such values. Raises TypeError for anything else."""
    if not isinstance(values, list | tuple) or not all(isinstance(value, float | int if kind is float else kind) for value in values):
        raise TypeError(f"{values!r:.80} is no list of {kind.__name__}")
    return list(values)


@dataclass(frozen=True)
class Rank:
    """The words in the order in which the attack takes them, and how much each matters.

    ``importance`` is what the attack gained (for most recipes: how far the label's probability fell) when the word was deleted
    or masked; words that may not change are absent.
    """

    importance: dict[int, float]
    order: tuple[int, ...]
    kind: ClassVar[str] = "rank"

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The step that its JSON object holds."""
        gains = _all(float, list(value["importance"].values()))
        return cls(dict(zip(map(int, value["importance"]), gains, strict=True)), tuple(_all(int, value["order"])))


@dataclass(frozen=True)
class Candidate:
    """A replacement that was thought of: the constraint that refused it, or None; its sentence similarity where it was measured."""

    word: str
    refused_by: str | None = None
    similarity: float | None = None


@dataclass(frozen=True)
class Candidates:
    """What was thought of in the place of one word (None: anywhere in the text), those that passed every constraint first."""

    index: int | None
    word: str
    candidates: tuple[Candidate, ...]
    kind: ClassVar[str] = "candidates"

    @property
    def passed(self) -> int:
        """How many passed every constraint."""
        return sum(candidate.refused_by is None for candidate in self.candidates)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The step that its JSON object holds."""
        return _checked(cls(value["index"], value["word"], tuple(_checked(Candidate(**candidate)) for candidate in value["candidates"])))


@dataclass(frozen=True)
class Query:
    """A text that the victim was asked about, and its answer; ``index`` is the word that was deleted, masked or replaced for it."""

    text: str
    probabilities: tuple[float, ...]
    index: int | None = None
    kind: ClassVar[str] = "query"

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The step that its JSON object holds."""
        return _checked(cls(value["text"], tuple(_all(float, value["probabilities"])), value["index"]))


@dataclass(frozen=True)
class Swap:
    """What the attack took: the changes (of the original's characters), and the label's probability before and after.

    Greedy attacks take one change at a time; those that breed texts take all changes of their best text at once, at the end.
    """

    changes: tuple[Change, ...]
    before: float
    after: float
    kind: ClassVar[str] = "swap"

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The step that its JSON object holds."""
        return _checked(cls(tuple(_checked(Change(**change)) for change in value["changes"]), value["before"], value["after"]))


Step = Rank | Candidates | Query | Swap
STEPS: dict[str, type[Step]] = {step.kind: step for step in (Rank, Candidates, Query, Swap)}


@dataclass(frozen=True)
class AttackTrace:
    """One attack on one text.

    Attributes:
        text: the original; ``words`` are its words with their places, ``perturbed`` the text that the attack ended with.
        label: the true label's index in ``labels``.
        victim: name and digest of the model.
        recipe: its name; ``settings``: budgets, seed and the rest of what was asked for.
        resources: names of the synonyms, word classes and sentence similarity that were used.
        changes: what became of the original in the end, from left to right; applied to ``text`` they give ``perturbed``.
        steps: everything that happened, in order.
        probabilities: of the ``original`` and of the ``perturbed`` text.
        outcome: skipped, flipped, held or stopped.
        queries: texts that the victim was asked about. Spent budgets: ``queries == settings["query_budget"]``.
        example: place in the sample of texts that was attacked; None for a single text.
    """

    text: str
    perturbed: str
    words: tuple[Word, ...]
    label: int
    labels: tuple[str, ...]
    victim: dict[str, str]
    recipe: str
    settings: dict[str, Any]
    resources: dict[str, str]
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    probabilities: dict[str, tuple[float, ...]]
    outcome: Outcome
    queries: int
    seconds: float
    example: int | None = None
    version: int = VERSION

    def of_kind(self, kind: type[Step]) -> Iterator[Any]:
        """The steps of a kind, in order."""
        return (step for step in self.steps if isinstance(step, kind))

    @property
    def swaps(self) -> list[dict[str, Any]]:
        """The changes in the order they were made: ``index``, ``from``, ``to``."""
        made = [change.index for swap in self.of_kind(Swap) for change in swap.changes]
        ordered = sorted(self.changes, key=lambda change: made.index(change.index) if change.index in made else len(made))
        return [{"index": change.index, "from": change.old, "to": change.new} for change in ordered]

    @property
    def importance(self) -> dict[int, float]:
        """How much each word matters, by word index; empty for attacks that rank no words."""
        rank = next(self.of_kind(Rank), None)
        return rank.importance if rank else {}

    @property
    def words_tried(self) -> int:
        """How many words' turns have come."""
        return len({step.index for step in self.of_kind(Candidates)})

    @property
    def at_hand(self) -> str:
        """The word whose turn it is; empty before the first."""
        steps = list(self.of_kind(Candidates))
        return steps[-1].word if steps else ""

    @property
    def words_changed(self) -> float:
        """Share of the words that were changed."""
        touched = {i for i, word in enumerate(self.words) for change in self.changes if change.start < word.end and word.start < change.end}
        return len(touched) / max(len(self.words), 1)

    def predicted(self, which: Literal["original", "perturbed"]) -> int:
        """The class with the highest probability."""
        values = self.probabilities[which]
        return max(range(len(values)), key=values.__getitem__)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field; every step with its kind, every candidate without what is not known of it."""
        steps = [{"kind": step.kind, **asdict(step)} for step in self.steps]
        for step in steps:
            if step["kind"] == Candidates.kind:
                step["candidates"] = [{key: value for key, value in one.items() if value is not None} for one in step["candidates"]]
        return {**asdict(replace(self, steps=())), "steps": steps}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The trace that ``to_json`` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        if value["version"] != VERSION:
            raise ValueError(f"a trace of version {value['version']}, not {VERSION}")
        try:
            made = _checked(cls(**{
                **value,
                "words": tuple(_checked(Word(**word)) for word in value["words"]),
                "labels": tuple(_all(str, value["labels"])),
                "changes": tuple(_checked(Change(**change)) for change in value["changes"]),
                "steps": tuple(STEPS[step["kind"]].from_json(step) for step in value["steps"]),
                "probabilities": {which: tuple(_all(float, value["probabilities"][which])) for which in ("original", "perturbed")},
            }))  # fmt: skip
        except AttributeError as error:
            raise TypeError(f"not a trace: {error}") from error
        made._check()
        return made

    def _check(self) -> None:
        """Raises ValueError where parts do not fit each other, so that whoever shows a trace need not look."""
        classes = len(self.labels)
        if not 0 <= self.label < classes or {len(values) for values in self.probabilities.values()} != {classes}:
            raise ValueError("labels and probabilities do not fit each other")
        if self.outcome not in get_args(Outcome):
            raise ValueError(f"no outcome is called {self.outcome!r}")
        _all(str, [self.victim["name"], *self.resources.values()])
