"""The paper's claims, asked of our own numbers (Li et al. 2023, sections 4 and 5): each yes or no, with the interval that says so.

A claim holds where the whole 95 % interval is on its side. Where the interval reaches over the line, the answer is no: not by these
numbers. Claims are asked of single settings, so some of many will come out by chance; none is corrected for that.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from robustprune.studies import intervals
from robustprune.studies.seed_groups import MEASURES, Group, groups

if TYPE_CHECKING:
    import pandas as pd

# How many points below the dense model still count as held, and within how many a doubling of texts counts as no gain.
MARGIN = 0.05
# A model that keeps less than this share of the dense one's accuracy under attack has collapsed.
KEPT = 0.5
HELD_AT, COLLAPSE_AT = 0.5, 0.875

CLAIMS = ("adaptive", "held", "collapse", "levels")


@dataclass(frozen=True)
class Answer:
    """A claim, asked of one setting.

    Attributes:
        claim: ``adaptive``, ``held``, ``collapse`` or ``levels``.
        measure: ``aua`` (accuracy under attack) or ``acc`` (accuracy on the same texts).
        setting: of what it was asked.
        seeds, examples: how many seeds and texts each side has.
        first, second: the two rates that are compared.
        estimate, low, high: what is judged, with its 95 % interval; ``line``: what the interval is held against.
        yes: whether the claim holds by these numbers; ``opposite``: whether they say the contrary.
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
    """Every claim, of every setting that our results have the numbers for."""
    found = groups(results)
    return [answer for ask in (_adaptive, _held, _no_collapse, _levels_off) for measure in MEASURES for answer in ask(found, measure)]


def _adaptive(found: list[Group], measure: str) -> Iterator[Answer]:
    """Layers that adapt keep more than layers pruned each on its own: full less none is above zero."""
    for full in _pruned(found, lambda one: one["adaptive"] == "full"):
        for none in _matching(found, full, adaptive="none"):
            yield _answer("adaptive", measure, full, none, 0.0)


def _held(found: list[Group], measure: str) -> Iterator[Answer]:
    """Half of the weights gone, at most MARGIN is lost against the dense model."""
    for one in _best_known(_pruned(found, lambda one: one["sparsity"] == HELD_AT and one["adaptive"] == "full")):
        for dense in _dense(found, one):
            yield _answer("held", measure, one, dense, -MARGIN)


def _no_collapse(found: list[Group], measure: str) -> Iterator[Answer]:
    """At 87.5 %, more than KEPT of what the dense model has is left."""
    for one in _best_known(_pruned(found, lambda one: one["sparsity"] == COLLAPSE_AT and one["adaptive"] == "full")):
        for dense in _dense(found, one):
            yield _answer("collapse", measure, one, dense, 0.0, weight=KEPT)


def _levels_off(found: list[Group], measure: str) -> Iterator[Answer]:
    """With more and more calibration texts: there is a gain from the fewest to the most, and the last doubling gains less than MARGIN."""
    for most in _pruned(found, lambda one: one["adaptive"] == "full"):
        family = sorted((one for one in found if _same(one, most, but="calibration")), key=lambda one: one.settings["calibration"])
        seeds = max(len(one.outcomes) for one in family)
        family = [one for one in family if len(one.outcomes) == seeds]  # a single run among means of several would blur the last doubling
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
    """Of groups that differ in their calibration texts alone, the one with the most seeds, then the most texts."""
    best: dict[str, Group] = {}
    for one in sorted(found, key=lambda one: (len(one.outcomes), one.settings["calibration"])):
        best[repr(one.settings | {"calibration": None})] = one
    return list(best.values())


def _matching(found: list[Group], group: Group, **other: Any) -> list[Group]:
    return [one for one in found if one.settings == group.settings | other]


def _same(one: Group, other: Group, but: str) -> bool:
    return one.settings | {but: None} == other.settings | {but: None}


def _dense(found: list[Group], group: Group) -> list[Group]:
    """The start of a group, attacked on the same texts."""
    same = ("start", "attacked_dataset", "recipe", "texts", "query_budget")
    return [one for one in found if one.settings["kind"] == "dense" and all(one.settings[name] == group.settings[name] for name in same)]


@dataclass(frozen=True)
class Verdict:
    """A claim over all settings that it was asked of: yes only if it holds in each.

    Attributes:
        holds, opposite, asked: how many settings say yes, how many say the contrary, and how many there are.
    """

    claim: str
    measure: str
    holds: int
    opposite: int
    asked: int

    @property
    def open(self) -> int:
        """How many settings say neither."""
        return self.asked - self.holds - self.opposite

    @property
    def yes(self) -> bool:
        """Whether the claim holds wherever it was asked."""
        return self.holds == self.asked > 0


def verdicts(found: Sequence[Answer]) -> list[Verdict]:
    """Every claim and measure that was asked, over all its settings."""
    result = []
    for claim in CLAIMS:
        for measure in MEASURES:
            of = [answer for answer in found if (answer.claim, answer.measure) == (claim, measure)]
            if of:
                result.append(Verdict(claim, measure, sum(one.yes for one in of), sum(one.opposite for one in of), len(of)))
    return result
