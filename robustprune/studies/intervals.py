"""Rates over texts and seeds at once, and differences of such rates, with 95 % intervals.

Seeds of a setting are attacked on the same texts, so what they give is a table, seeds by texts, whose rows and columns are both samples.
The variance of its mean is that of the texts' means over the texts plus that of the seeds' means over the seeds (Owen 2007, "The pigeonhole
bootstrap", section 3; a little too large, which is the safe side). More seeds make nothing of having too few texts.
"""

from math import sqrt

import numpy as np
from jaxtyping import Float

from robustprune.base.rates import NOTHING, Z_95, Rate, wilson

Outcomes = Float[np.ndarray, "seeds texts"]


def rate(values: Outcomes) -> Rate:
    """The mean of a table of zeros and ones, with Wilson's interval for as many independent texts as its variance is worth.

    One seed gives Wilson's interval over its texts.
    """
    seeds, texts = values.shape
    if not values.size:
        return NOTHING
    mean = float(values.mean())
    variance = _variance(values, ddof=0)
    worth = min(mean * (1 - mean) / variance, seeds * texts) if variance > 0 else texts
    return wilson(mean * worth, worth)


def of_counts(shares: Float[np.ndarray, " seeds"], examples: int) -> Rate:
    """The mean of rates that seeds reached on the same ``examples`` texts, of which no more is known."""
    mean = float(shares.mean())
    variance = mean * (1 - mean) / examples + (float(shares.var(ddof=1)) / len(shares) if len(shares) > 1 else 0.0)
    return wilson(mean * (worth := mean * (1 - mean) / variance if variance else examples), worth)


def difference(first: Outcomes, second: Outcomes, weight: float = 1.0) -> Rate:
    """``second - weight * first``, as means over the same texts, with its interval; tables of one seed stand for every seed of the other.

    Over the texts it is the adjusted interval for pairs, which adds one text to either side (Bonett and Price 2012, Eq. 2).
    """
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"the tables have {first.shape[1]} and {second.shape[1]} texts; they must be the same ones")
    texts = second.shape[1]
    if len(first) == len(second) or 1 in (len(first), len(second)):  # the same seeds: differences seed by seed
        pairs = second - weight * first
        of_seeds = _over_seeds(pairs)
        of_texts = pairs.mean(axis=0)
    else:
        of_seeds = _over_seeds(first) * weight**2 + _over_seeds(second)
        of_texts = second.mean(axis=0) - weight * first.mean(axis=0)
    adjusted = np.concatenate([of_texts, [1.0, -1.0]])
    half = Z_95 * sqrt(float(adjusted.var()) / (texts + 2) + of_seeds)
    centre = float(adjusted.mean())
    return Rate(float(of_texts.mean()), centre - half, centre + half)


def _variance(values: Outcomes, ddof: int) -> float:
    return float(values.mean(axis=0).var(ddof=ddof)) / values.shape[1] + _over_seeds(values)


def _over_seeds(values: Outcomes) -> float:
    """The variance of the mean that comes of the choice of seeds; none is known of one seed."""
    return float(values.mean(axis=1).var(ddof=1)) / len(values) if len(values) > 1 else 0.0
