"""What a server keeps more and more of, told apart from what a job takes while it runs.

A job on a model takes some hundred megabytes and gives them back, so a line through all that a server holds mostly says when its jobs ran.
What it keeps is what it holds at rest.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import theilslopes

HOUR = 3600.0


def of(kept: Sequence[tuple[float, float]]) -> Any:
    """The growth of what was held at rest, some times (seconds, megabytes): ``slope`` in megabytes an hour, ``low_slope`` and ``high_slope``
    of its 95 % interval.

    It is the median of the slopes between any two of them (Theil and Sen), so that a single rest that was none counts for little.
    """
    times, sizes = np.array(kept).T
    return theilslopes(sizes, times / HOUR)
