"""The lines of the curves over sparsity and over calibration texts. Their points are settings averaged over seeds, from the results table."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from robustprune.base.rates import Rate
from robustprune.studies.seed_groups import Group

if TYPE_CHECKING:
    import pandas as pd

Lines = dict[str, list[tuple[float, float, float, float, str]]]
Namer = Callable[[dict[str, Any]], str]


def of_one_sample(rows: "pd.DataFrame", recipe: str) -> "pd.DataFrame":
    """The rows of one recipe that were attacked on the same sample of texts, namely the most frequent sample."""
    mine = rows[rows["recipe"] == recipe]
    return mine[mine["texts"] == mine["texts"].mode().iloc[0]] if len(mine) else mine


def lines(found: Sequence[Group], place: str, measure: Callable[[Group], Rate], name: Namer) -> Lines:
    """Groups the points into one line per name (``name(settings)``).

    A point is (value of the setting ``place``, value, low end and high end of the measure, digest of the first run). Points are sorted
    by the setting.
    """
    made: Lines = {}
    for group in sorted(found, key=lambda one: one.settings[place]):
        value = measure(group)
        if value.value is not None:
            made.setdefault(name(group.settings), []).append((group.settings[place], value.value, value.low, value.high, group.digest))
    return made


def families(found: Sequence[Group], but: str) -> list[Group]:
    """The groups for which another group exists that differs only in the setting ``but``."""
    kinds: dict[str, set[Any]] = {}
    for one in found:
        kinds.setdefault(_kind(one, but), set()).add(one.settings[but])
    return [one for one in found if len(kinds[_kind(one, but)]) > 1]


def _kind(group: Group, but: str) -> str:
    return repr(group.settings | {but: None})
