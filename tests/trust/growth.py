"""What a server keeps more and more of, told apart from what a job takes while it runs.

A job on a model takes some hundred megabytes and gives them back, so a line through all that a server holds mostly says when its jobs ran.
What it keeps is what it holds at rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import theilslopes

HOUR = 3600.0


@dataclass(frozen=True)
class Growth:
    """Megabytes an hour, and the ends of the 95 % interval."""

    slope: float
    low: float
    high: float


def of(kept: Sequence[tuple[float, float]]) -> Growth:
    """The growth of what was held at rest, some times: seconds and megabytes.

    It is the median of the slopes between any two of them (Theil and Sen), so that a single rest that was none counts for little.
    """
    times, sizes = np.array(kept).T
    slope, _, low, high = theilslopes(sizes, times / HOUR)
    return Growth(float(slope), float(low), float(high))
