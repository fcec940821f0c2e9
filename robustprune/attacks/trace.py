"""Everything that one attack did to one text, in an order that can be replayed."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

VERSION = 1
Outcome = Literal["skipped", "flipped", "held"]


@dataclass(frozen=True)
class Word:
    """A word of the original text: its characters are ``text[start:end]``."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Candidate:
    """A replacement that passed every constraint and was tried: the label's probability with it, and its sentence similarity."""

    word: str
    probability: float
    similarity: float | None


@dataclass(frozen=True)
class Step:
    """One word's turn: what was tried in its place, and what was taken (None: nothing lowered the label's probability)."""

    index: int
    candidates: tuple[Candidate, ...]
    taken: str | None
    before: float
    after: float
    queries: int


@dataclass(frozen=True)
class AttackTrace:
    """One attack on one text.

    Attributes:
        text: the original; ``words`` are its words with their places, ``perturbed`` the text that the attack ended with.
        label: the true label's index in ``labels``.
        victim: name and digest of the model.
        importance: fall of the label's probability when a word is deleted, by word index; words that may not change are absent.
        steps: the turns, in the order they were taken.
        probabilities: of the original and of the perturbed text.
        outcome: skipped (wrong from the start), flipped, or held (within the query budget).
        queries: texts that the victim was asked about.
    """

    text: str
    perturbed: str
    words: tuple[Word, ...]
    label: int
    labels: tuple[str, ...]
    victim: dict[str, str]
    recipe: str
    query_budget: int
    resources: dict[str, str]
    importance: dict[int, float]
    steps: tuple[Step, ...]
    probabilities: dict[str, tuple[float, ...]]
    outcome: Outcome
    queries: int
    seconds: float
    version: int = VERSION

    @property
    def swaps(self) -> list[dict[str, Any]]:
        """The accepted replacements, in the order they were made: ``index``, ``from``, ``to``."""
        return [{"index": step.index, "from": self.words[step.index].text, "to": step.taken} for step in self.steps if step.taken is not None]

    @property
    def words_changed(self) -> float:
        """Share of the words that were replaced."""
        return len(self.swaps) / len(self.words)

    def predicted(self, which: Literal["original", "perturbed"]) -> int:
        """The class with the highest probability."""
        values = self.probabilities[which]
        return max(range(len(values)), key=values.__getitem__)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The trace that ``to_json`` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        if value["version"] != VERSION:
            raise ValueError(f"a trace of version {value['version']}, not {VERSION}")
        steps = tuple(Step(**{**step, "candidates": tuple(Candidate(**c) for c in step["candidates"])}) for step in value["steps"])
        return cls(**{
            **value,
            "words": tuple(Word(**word) for word in value["words"]),
            "labels": tuple(value["labels"]),
            "importance": {int(index): fall for index, fall in value["importance"].items()},
            "steps": steps,
            "probabilities": {which: tuple(values) for which, values in value["probabilities"].items()},
        })  # fmt: skip
