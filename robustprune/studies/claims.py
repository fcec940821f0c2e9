"""Tests the paper's claims (Li et al. 2023, sections 4 and 5) on our own results. Every answer is yes or no, with its 95 % interval.

The answer is yes if the whole interval lies on the claim's side of a line. If the interval crosses the line, the answer is no: our
results do not show the claim. Every setting is tested separately and without a correction for multiple tests, so with many settings some
answers are due to chance.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from robustprune.studies import intervals
from robustprune.studies.seed_groups import MEASURES, Group, groups

if TYPE_CHECKING:
    import pandas as pd

# A pruned model within this margin of the dense model has held. A gain within this margin counts as no gain.
MARGIN = 0.05
# A pruned model that keeps less than this share of the dense model's rate has collapsed.
KEPT = 0.5
HELD_AT, COLLAPSE_AT = 0.5, 0.875

CLAIMS = ("adaptive", "held", "collapse", "levels")


@dataclass(frozen=True)
class Answer:
    """The answer to a claim for one setting.

    Attributes:
        claim: ``adaptive``, ``held``, ``collapse`` or ``levels``.
        measure: ``aua`` (accuracy under attack) or ``acc`` (accuracy on the same texts).
        start: the dense model.
        dataset: the data set of the attacked texts.
        recipe: the attack recipe.
        setting: method, sparsity and number of calibration texts.
        seeds, examples: number of seeds of the tested group, and number of texts.
        first, second: the rate of the model that is compared against, and the rate of the tested model.
        estimate, low, high: the tested difference with its 95 % interval.
        line: the value that the interval is compared with.
        yes: True if the results show the claim.
        opposite: True if the results show the opposite of the claim.
    """

    claim: str
    measure: str
    start: str
    dataset: str
    recipe: str
    setting: dict[str, Any]
    seeds: int
    examples: int
    first: float
    second: float
    estimate: float
    low: float
    high: float
    line: float
    yes: bool
    opposite: bool

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)


def answers(results: "pd.DataFrame") -> list[Answer]:
    """Tests every claim on every setting for which our results have the needed numbers."""
    found = groups(results)
    return [answer for ask in (_adaptive, _held, _no_collapse, _levels_off) for measure in MEASURES for answer in ask(found, measure)]


def _adaptive(found: list[Group], measure: str) -> Iterator[Answer]:
    """Claim: adaptive pruning keeps more than pruning every layer on its own. The rate of ``full`` minus that of ``none`` is above 0."""
    for full in _pruned(found, lambda one: one["adaptive"] == "full"):
        for none in _matching(found, full, adaptive="none"):
            yield _answer("adaptive", measure, full, none, 0.0)


def _held(found: list[Group], measure: str) -> Iterator[Answer]:
    """Claim: at a sparsity of 50 %, the model loses less than MARGIN against the dense model."""
    for one in _best_known(_pruned(found, lambda one: one["sparsity"] == HELD_AT and one["adaptive"] == "full")):
        for dense in _dense(found, one):
            yield _answer("held", measure, one, dense, -MARGIN)


def _no_collapse(found: list[Group], measure: str) -> Iterator[Answer]:
    """Claim: at a sparsity of 87.5 %, the model keeps more than the share KEPT of the dense model's rate."""
    for one in _best_known(_pruned(found, lambda one: one["sparsity"] == COLLAPSE_AT and one["adaptive"] == "full")):
        for dense in _dense(found, one):
            yield _answer("collapse", measure, one, dense, 0.0, weight=KEPT)


def _levels_off(found: list[Group], measure: str) -> Iterator[Answer]:
    """Claim: the rate rises and then levels off with more calibration texts. It gives two answers per family of settings.

    The first asks whether there is a gain from the smallest to the largest number of texts. The second asks whether the last step changes
    the rate by less than MARGIN.
    """
    for most in _pruned(found, lambda one: one["adaptive"] == "full"):
        family = sorted((one for one in found if _same(one, most, but="calibration")), key=lambda one: one.settings["calibration"])
        seeds = max(len(one.outcomes) for one in family)
        family = [one for one in family if len(one.outcomes) == seeds]  # a single run is too noisy beside means of several seeds
        if len(family) < 3 or family[-1] is not most:
            continue
        last = _answer("levels", measure, most, family[-2], 0.0)
        gain = _answer("levels", measure, most, family[0], 0.0)
        sizes = [one.settings["calibration"] for one in family]
        yield _with(gain, setting=gain.setting | {"from": sizes[0], "to": sizes[-1]})
        level = last.low > -MARGIN and last.high < MARGIN
        beyond = last.low > MARGIN or last.high < -MARGIN
        yield _with(last, setting=last.setting | {"from": sizes[-2], "to": sizes[-1]}, line=MARGIN, yes=level, opposite=beyond)


def _with(answer: Answer, **changes: Any) -> Answer:
    return Answer(**{**asdict(answer), **changes})


def _answer(claim: str, measure: str, group: Group, against: Group, line: float, weight: float = 1.0) -> Answer:
    gap = intervals.difference(against.table(measure), group.table(measure), weight)
    settings = group.settings
    return Answer(
        claim, measure, settings["start"], settings["attacked_dataset"], settings["recipe"],
        {name: settings[name] for name in ("method", "sparsity", "calibration")}, len(group.outcomes), group.outcomes.shape[1],
        against.rate(measure).value, group.rate(measure).value, gap.value, gap.low, gap.high, line, gap.low > line, gap.high < line,
    )  # fmt: skip


def _pruned(found: list[Group], which: Callable[[dict[str, Any]], bool]) -> list[Group]:
    return [one for one in found if one.settings["kind"] == "pruned" and which(one.settings)]


def _best_known(found: list[Group]) -> list[Group]:
    """Among groups that differ only in the number of calibration texts, the one with the most seeds, then with the most texts."""
    best: dict[str, Group] = {}
    for one in sorted(found, key=lambda one: (len(one.outcomes), one.settings["calibration"])):
        best[repr(one.settings | {"calibration": None})] = one
    return list(best.values())


def _matching(found: list[Group], group: Group, **other: Any) -> list[Group]:
    return [one for one in found if one.settings == group.settings | other]


def _same(one: Group, other: Group, but: str) -> bool:
    return one.settings | {but: None} == other.settings | {but: None}


def _dense(found: list[Group], group: Group) -> list[Group]:
    """The groups of the dense start of ``group`` that were attacked on the same texts."""
    same = ("start", "attacked_dataset", "recipe", "texts", "query_budget")
    return [one for one in found if one.settings["kind"] == "dense" and all(one.settings[name] == group.settings[name] for name in same)]


@dataclass(frozen=True)
class Verdict:
    """The answer to a claim over all settings: yes only if it holds in every setting.

    Attributes:
        holds: number of settings that show the claim.
        opposite: number of settings that show the opposite.
        asked: number of tested settings.
    """

    claim: str
    measure: str
    holds: int
    opposite: int
    asked: int

    @property
    def open(self) -> int:
        """The number of settings that show neither the claim nor its opposite."""
        return self.asked - self.holds - self.opposite

    @property
    def yes(self) -> bool:
        """True if the claim was tested and holds in every tested setting."""
        return self.holds == self.asked > 0


def verdicts(found: Sequence[Answer]) -> list[Verdict]:
    """The verdict for every pair of claim and measure that has at least one answer."""
    result = []
    for claim in CLAIMS:
        for measure in MEASURES:
            of = [answer for answer in found if (answer.claim, answer.measure) == (claim, measure)]
            if of:
                result.append(Verdict(claim, measure, sum(one.yes for one in of), sum(one.opposite for one in of), len(of)))
    return result
