"""Rates over texts and seeds, and differences of two rates, with 95 % intervals.

All seeds of a setting are attacked on the same texts. Their outcomes form a table, seeds by texts, whose rows and columns are both random
samples. The variance of the table's mean is (variance of the texts' means) / texts + (variance of the seeds' means) / seeds (Owen 2007,
"The pigeonhole bootstrap", section 3). This estimate is slightly too large, so the intervals are on the safe side. More seeds do not make
up for too few texts.
"""

from math import sqrt

import numpy as np
from jaxtyping import Float

from robustprune.base.rates import NOTHING, Z_95, Rate, wilson

Outcomes = Float[np.ndarray, "seeds texts"]


def rate(values: Outcomes) -> Rate:
    """The mean of a table of zeros and ones, with Wilson's interval for the number of independent trials that gives the same variance.

    With one seed, this is Wilson's interval over the texts.
    """
    seeds, texts = values.shape
    if not values.size:
        return NOTHING
    mean = float(values.mean())
    variance = _variance(values, ddof=0)
    worth = min(mean * (1 - mean) / variance, seeds * texts) if variance > 0 else texts
    return wilson(mean * worth, worth)


def of_counts(shares: Float[np.ndarray, " seeds"], examples: int) -> Rate:
    """The mean of the rates of several seeds on the same ``examples`` texts, if the outcomes of the single texts are not known."""
    mean = float(shares.mean())
    variance = mean * (1 - mean) / examples + (float(shares.var(ddof=1)) / len(shares) if len(shares) > 1 else 0.0)
    return wilson(mean * (worth := mean * (1 - mean) / variance if variance else examples), worth)


def difference(first: Outcomes, second: Outcomes, weight: float = 1.0) -> Rate:
    """The difference ``second - weight * first`` of the means of two tables over the same texts, with its interval.

    A table with one seed is compared with every seed of the other. For the variance over texts, this is the adjusted interval for paired
    data, which adds one text to each side (Bonett and Price 2012, Eq. 2).

    Raises:
        ValueError: the tables have different numbers of texts.
    """
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"the tables have {first.shape[1]} and {second.shape[1]} texts; they must be the same ones")
    texts = second.shape[1]
    if len(first) == len(second) or 1 in (len(first), len(second)):  # the seeds match, so differences are taken seed by seed
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
    """The part of the mean's variance that comes from the choice of seeds; 0 for one seed, where it cannot be estimated."""
    return float(values.mean(axis=1).var(ddof=1)) / len(values) if len(values) > 1 else 0.0
