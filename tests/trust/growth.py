"""What a server keeps more and more of, told apart from what a job takes while it runs.

A job on a model takes some hundred megabytes and gives them back. Between two jobs, and while nobody looks, a server holds only what it keeps:
that is the least it held in each minute. A line through all that it held would mostly say when the jobs ran.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import theilslopes

MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True)
class Growth:
    """Megabytes an hour in the second half: of what was kept, with its 95 % interval, and of all that was held."""

    kept: float
    low: float
    high: float
    held: float


def of(held: Sequence[tuple[float, float]]) -> Growth:
    """The growth of what was held: seconds and megabytes, in the order of time, for some minutes.

    What is kept grows by the median of the slopes between any two minutes of the second half (Theil and Sen), so that neither a cache that
    is filled once nor a minute full of jobs counts for much.
    """
    times, sizes = np.array(held).T
    second = times > times[-1] / 2
    times, sizes = times[second], sizes[second]
    minutes = (times - times[0]) // MINUTE
    each = np.unique(minutes)[:-1]  # the last minute is not a whole one
    lows = [sizes[minutes == minute].min() for minute in each]
    kept, _, low, high = theilslopes(lows, each * MINUTE / HOUR)
    return Growth(float(kept), float(low), float(high), float(np.polyfit(times / HOUR, sizes, 1)[0]))
