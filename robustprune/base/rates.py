"""Shares with their 95 % intervals, and tests of whether two shares differ by more than chance."""

from dataclasses import dataclass
from math import comb, sqrt

Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Rate:
    """A share with its Wilson 95 % interval. Without any trials the share is None and the interval is [0, 1]."""

    value: float | None
    low: float
    high: float

    def flat(self, name: str) -> dict[str, float | None]:
        """The rate as the three JSON fields ``name``, ``name_low`` and ``name_high``."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


NOTHING = Rate(None, 0.0, 1.0)


def wilson(successes: int, trials: int) -> Rate:
    """A rate and its Wilson score interval at 95 % (Wilson 1927)."""
    if trials == 0:
        return NOTHING
    share, z2 = successes / trials, Z_95**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z_95 * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    # At a share of 0 or 1 one bound equals the share. Rounding must not push the bound past the share.
    return Rate(share, min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share))


def paired_interval(only_first: int, only_second: int, pairs: int) -> tuple[float, float]:
    """The 95 % interval of the difference of two rates (second minus first) over the same texts.

    This is the adjusted Wald interval, which adds one to each of the two counts and two to ``pairs`` (Bonett and Price 2012, Eq. 2).

    Args:
        only_first: number of texts that count for the first rate only.
        only_second: number of texts that count for the second rate only.
        pairs: number of texts.
    """
    first, second = ((count + 1) / (pairs + 2) for count in (only_first, only_second))
    half = Z_95 * sqrt((first + second - (second - first) ** 2) / (pairs + 2))
    return max(second - first - half, -1.0), min(second - first + half, 1.0)


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p-value of McNemar's test (1947). Under its null hypothesis each text on which the two differ is a fair coin toss."""
    trials = only_first + only_second
    tail = sum(comb(trials, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / 2**trials)
