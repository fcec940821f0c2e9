"""The trace of one attack on one text: all its steps in order, which is enough to replay the attack without the model.

On disk and for download, a trace is one line of a JSON Lines file. In the store, it is the document of one entry.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import Any, ClassVar, Literal, Self, TypeVar, get_args, get_origin, get_type_hints

from robustprune.attacks.traces.changes import Change, Word

VERSION = 3
T = TypeVar("T")
# skipped: the model misclassifies the original text. flipped: the attack changed the prediction. held: the attack did not change it
# within its budgets. stopped: a time limit or Cancel ended the attack, so the outcome is unknown.
Outcome = Literal["skipped", "flipped", "held", "stopped"]


# The types allowed for fields with plain values. A float field may hold an int, because JSON has only one type of number.
PLAIN = {str: str, int: int, float: float | int, int | None: int | None, str | None: str | None, float | None: float | int | None, dict: dict}


@cache
def _kinds(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    found = {one.name: PLAIN.get(dict if get_origin(hints[one.name]) is dict else hints[one.name]) for one in fields(cls)}
    return {name: kind for name, kind in found.items() if kind}


def _checked(made: T) -> T:
    """Returns ``made``, an object built from JSON. Raises TypeError if a field with a plain value has the wrong type."""
    for name, kind in _kinds(type(made)).items():
        if not isinstance(getattr(made, name), kind):
            raise TypeError(f"{name} of a {type(made).__name__} is {getattr(made, name)!r}")
    return made


def _all(kind: type, values: Any) -> list[Any]:
    """Returns ``values`` as a list. Raises TypeError if it is not a list or tuple of ``kind``."""
    if not isinstance(values, list | tuple) or not all(isinstance(value, float | int if kind is float else kind) for value in values):
        raise TypeError(f"{values!r:.80} is no list of {kind.__name__}")
    return list(values)


@dataclass(frozen=True)
class Rank:
    """The order in which the attack visits the words, and the importance of each word.

    ``importance`` is the drop of the true label's probability when the word was deleted or masked. Words that may not be changed
    are absent.
    """

    importance: dict[int, float]
    order: tuple[int, ...]
    kind: ClassVar[str] = "rank"

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Reads the step from its JSON object."""
        gains = _all(float, list(value["importance"].values()))
        return cls(dict(zip(map(int, value["importance"]), gains, strict=True)), tuple(_all(int, value["order"])))


@dataclass(frozen=True)
class Candidate:
    """A proposed replacement.

    Attributes:
        word: the replacement.
        refused_by: the constraint, or the reason of the source of synonyms, that refused it; None if none did.
        similarity: similarity of the text with the replacement; None if it was not measured.
        sense: the replaced word and the gloss that both words share; None if the source does not know senses.
        source: the list that the replacement comes from; None if the source names none.
    """

    word: str
    refused_by: str | None = None
    similarity: float | None = None
    sense: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Candidates:
    """The proposed replacements for one word. Candidates that passed every constraint come first.

    ``index`` is the word's index in the original text; None means that the candidates are for any place in the text.
    """

    index: int | None
    word: str
    candidates: tuple[Candidate, ...]
    kind: ClassVar[str] = "candidates"

    @property
    def passed(self) -> int:
        """The number of candidates that passed every constraint."""
        return sum(candidate.refused_by is None for candidate in self.candidates)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Reads the step from its JSON object."""
        return _checked(cls(value["index"], value["word"], tuple(_checked(Candidate(**candidate)) for candidate in value["candidates"])))


@dataclass(frozen=True)
class Query:
    """One query: a text and the victim's answer. ``index`` is the word that was deleted, masked or replaced in this text, or None."""

    text: str
    probabilities: tuple[float, ...]
    index: int | None = None
    kind: ClassVar[str] = "query"

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Reads the step from its JSON object."""
        return _checked(cls(value["text"], tuple(_all(float, value["probabilities"])), value["index"]))


@dataclass(frozen=True)
class Swap:
    """An accepted swap: the changes to the original text, and the true label's probability before and after.

    Greedy attacks accept one change at a time. Population-based attacks (genetic algorithm, differential evolution) accept all changes
    of their best text together, at the end.
    """

    changes: tuple[Change, ...]
    before: float
    after: float
    kind: ClassVar[str] = "swap"

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Reads the step from its JSON object."""
        return _checked(cls(tuple(_checked(Change(**change)) for change in value["changes"]), value["before"], value["after"]))


Step = Rank | Candidates | Query | Swap
STEPS: dict[str, type[Step]] = {step.kind: step for step in (Rank, Candidates, Query, Swap)}


@dataclass(frozen=True)
class AttackTrace:
    """One attack on one text.

    Attributes:
        text: the original text.
        perturbed: the final text of the attack.
        words: the words of the original text with their places.
        label: index of the true label in ``labels``.
        victim: name and digest of the model.
        recipe: name of the recipe.
        settings: the settings of the attack: budgets, seed and the rest.
        resources: names of the synonyms, word classes and sentence similarity that were used.
        changes: the final changes, from left to right; applied to ``text`` they give ``perturbed``.
        steps: all steps, in order.
        probabilities: class probabilities of the ``original`` and of the ``perturbed`` text.
        outcome: skipped, flipped, held or stopped.
        queries: number of queries to the victim. If the budget is spent, ``queries == settings["query_budget"]``.
        seconds: duration of the attack.
        example: place of the text in the attacked sample; None for a single text.
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
        """The steps of one kind, in order."""
        return (step for step in self.steps if isinstance(step, kind))

    @property
    def swaps(self) -> list[dict[str, Any]]:
        """The changes in the order in which they were made, each with ``index``, ``from`` and ``to``."""
        made = [change.index for swap in self.of_kind(Swap) for change in swap.changes]
        ordered = sorted(self.changes, key=lambda change: made.index(change.index) if change.index in made else len(made))
        return [{"index": change.index, "from": change.old, "to": change.new} for change in ordered]

    @property
    def importance(self) -> dict[int, float]:
        """The importance of each word, by word index. Empty for attacks that do not rank words."""
        rank = next(self.of_kind(Rank), None)
        return rank.importance if rank else {}

    @property
    def words_tried(self) -> int:
        """The number of words for which candidates were tried so far."""
        return len({step.index for step in self.of_kind(Candidates)})

    @property
    def at_hand(self) -> str:
        """The word whose candidates are being tried; an empty string before the first."""
        steps = list(self.of_kind(Candidates))
        return steps[-1].word if steps else ""

    @property
    def words_changed(self) -> float:
        """The share of the words that were changed, in [0, 1]."""
        touched = {i for i, word in enumerate(self.words) for change in self.changes if change.start < word.end and word.start < change.end}
        return len(touched) / max(len(self.words), 1)

    def reason(self, change: Change) -> Candidate | None:
        """The candidate that a change put in, with the sense that both words share. None for changes that were no candidates of one word."""
        steps = (step for step in self.of_kind(Candidates) if step.index == change.index)
        return next((one for step in steps for one in step.candidates if one.refused_by is None and one.word == change.new), None)

    def predicted(self, which: Literal["original", "perturbed"]) -> int:
        """The class with the highest probability."""
        values = self.probabilities[which]
        return max(range(len(values)), key=values.__getitem__)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field. Every step carries its kind; every candidate leaves out the fields that are None."""
        steps = [{"kind": step.kind, **asdict(step)} for step in self.steps]
        for step in steps:
            if step["kind"] == Candidates.kind:
                step["candidates"] = [{key: value for key, value in one.items() if value is not None} for one in step["candidates"]]
        return {**asdict(replace(self, steps=())), "steps": steps}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Reads a trace that ``to_json`` wrote. Raises KeyError, TypeError or ValueError for any other value."""
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
        """Raises ValueError if labels, probabilities and outcome do not fit together, so that code that shows a trace need not check."""
        classes = len(self.labels)
        if not 0 <= self.label < classes or {len(values) for values in self.probabilities.values()} != {classes}:
            raise ValueError("labels and probabilities do not fit each other")
        if self.outcome not in get_args(Outcome):
            raise ValueError(f"no outcome is called {self.outcome!r}")
        _all(str, [self.victim["name"], *self.resources.values()])
