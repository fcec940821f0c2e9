"""Scores over many attacked texts: Acc, Aua and Asr (Li et al. 2023, section 4), each with its Wilson interval. Also a test of whether
two models differ by more than chance."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from robustprune.attacks.traces.trace import AttackTrace, Outcome
from robustprune.base.rates import Rate, mcnemar, paired_interval, wilson
from robustprune.specs.recipes import RECIPES


@dataclass(frozen=True)
class Result:
    """The result of the attack on one text, without the steps of the attack. Scores and comparisons are computed from results.

    ``similarity`` is the cosine between MiniLM's sentence vectors of the original and the perturbed text; None if it was not measured.
    """

    example: int
    text: str
    label: int
    perturbed: str
    outcome: Outcome
    queries: int
    words_changed: float
    similarity: float | None
    seconds: float

    @classmethod
    def of(cls, trace: AttackTrace) -> Self:
        """The result of a trace, with the similarity not measured yet."""
        return cls(trace.example or 0, trace.text, trace.label, trace.perturbed, trace.outcome, trace.queries, trace.words_changed, None, trace.seconds)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)


@dataclass(frozen=True)
class Scores:
    """The scores of N texts, of which S are skipped, F held and A flipped: ``acc = (N - S) / N``, ``aua = F / N``, ``asr = A / (A + F)``.

    N does not count the ``stopped`` texts (those that reached the time limit) and the ``failed`` texts (those that could not be attacked).
    """

    examples: int
    skipped: int
    held: int
    flipped: int
    stopped: int
    failed: int
    acc: Rate
    aua: Rate
    asr: Rate
    queries_mean: float
    words_changed_mean: float
    similarity_mean: float | None

    @property
    def complete(self) -> bool:
        """True if no text was stopped and no text failed."""
        return self.stopped == self.failed == 0

    def to_json(self) -> dict[str, Any]:
        """A flat JSON object. Every rate gives the three fields ``name``, ``name_low`` and ``name_high``."""
        flat = asdict(self) | {"complete": self.complete}
        for name in ("acc", "aua", "asr"):
            del flat[name]
            flat |= getattr(self, name).flat(name)
        return flat


def score(results: Sequence[Result], recipe: str = "textfooler", failed: int = 0) -> Scores:
    """The scores of finished attacks. ``queries_mean`` is the mean over all attacked texts. ``words_changed_mean`` and
    ``similarity_mean`` are means over the texts where the attack succeeded: the flipped texts, or all attacked texts for a recipe
    that deletes words instead of flipping the prediction."""
    ended = [result for result in results if result.outcome != "stopped"]
    counts = {outcome: sum(result.outcome == outcome for result in ended) for outcome in ("skipped", "held", "flipped")}
    attacked = [result for result in ended if result.outcome != "skipped"]
    won = [result for result in attacked if result.outcome == "flipped" or not RECIPES[recipe].flips]
    similar = [result.similarity for result in won if result.similarity is not None]
    return Scores(
        examples=len(ended),
        **counts,
        stopped=len(results) - len(ended),
        failed=failed,
        acc=wilson(len(attacked), len(ended)),
        aua=wilson(counts["held"], len(ended)),
        asr=wilson(counts["flipped"], len(attacked)),
        queries_mean=_mean([result.queries for result in attacked]),
        words_changed_mean=_mean([result.words_changed for result in won]),
        similarity_mean=_mean(similar) if similar else None,
    )


@dataclass(frozen=True)
class Comparison:
    """Two models under the same attack on the same texts.

    Attributes:
        examples: number of texts whose attack ended, without being stopped, on both models.
        aua_difference: Aua of the second model minus Aua of the first; ``_low`` and ``_high`` give its 95 % interval for paired data.
        only_first, only_second: number of texts on which only the first model, or only the second, held.
        p: p-value of the exact two-sided McNemar test; the null hypothesis is that both models are equally likely to hold.
    """

    examples: int
    aua_difference: float
    aua_difference_low: float
    aua_difference_high: float
    only_first: int
    only_second: int
    p: float

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)


def compare(first: Sequence[Result], second: Sequence[Result]) -> Comparison:
    """Compares two models text by text. A text whose attack was stopped on either model is left out. Raises ValueError if the texts differ."""
    ours, theirs = ({result.example: result for result in results if result.outcome != "stopped"} for results in (first, second))
    common = sorted(set(ours) & set(theirs))
    if any(ours[example].text != theirs[example].text for example in common):
        raise ValueError("the two models were attacked on different texts")
    held = [(ours[example].outcome == "held", theirs[example].outcome == "held") for example in common]
    only_first, only_second = held.count((True, False)), held.count((False, True))
    interval = paired_interval(only_first, only_second, len(common))
    return Comparison(len(common), (only_second - only_first) / max(len(common), 1), *interval, only_first, only_second, mcnemar(only_first, only_second))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
