"""Scores over many attacked texts: Acc, Aua and Asr (Li et al. 2023, section 4), each with its Wilson interval."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from robustprune.attacks.trace import AttackTrace

Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Rate:
    """A share with its Wilson 95 % interval; of nothing, the share is None and the interval is [0, 1]."""

    value: float | None
    low: float
    high: float


def wilson(successes: int, trials: int) -> Rate:
    """A rate and its Wilson score interval at 95 % (Wilson 1927)."""
    if trials == 0:
        return Rate(None, 0.0, 1.0)
    share, z2 = successes / trials, Z_95**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z_95 * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    # At 0 and 1 the bound equals the share; rounding must not push it past.
    return Rate(share, min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share))


@dataclass(frozen=True)
class Scores:
    """``acc = (N - S) / N``, ``aua = F / N``, ``asr = A / (A + F)`` for N texts, S skipped, F held, A flipped.

    ``stopped`` texts (a time limit or Cancel) are not among the N.
    """

    examples: int
    skipped: int
    held: int
    flipped: int
    stopped: int
    acc: Rate
    aua: Rate
    asr: Rate
    queries_mean: float
    words_changed_mean: float

    def to_json(self) -> dict[str, Any]:
        """A flat JSON object: every rate as ``name``, ``name_low`` and ``name_high``."""
        flat = asdict(self)
        for name in ("acc", "aua", "asr"):
            rate = flat.pop(name)
            flat |= {name: rate["value"], f"{name}_low": rate["low"], f"{name}_high": rate["high"]}
        return flat


def score(traces: Sequence[AttackTrace], stopped: int = 0) -> Scores:
    """The scores of finished attacks. Means are over attacked texts; words changed, over flipped ones."""
    counts = {outcome: sum(trace.outcome == outcome for trace in traces) for outcome in ("skipped", "held", "flipped")}
    attacked = [trace for trace in traces if trace.outcome != "skipped"]
    flipped = [trace for trace in traces if trace.outcome == "flipped"]
    total = len(traces)
    return Scores(
        examples=total,
        **counts,
        stopped=stopped,
        acc=wilson(len(attacked), total),
        aua=wilson(counts["held"], total),
        asr=wilson(counts["flipped"], len(attacked)),
        queries_mean=_mean([trace.queries for trace in attacked]),
        words_changed_mean=_mean([trace.words_changed for trace in flipped]),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
