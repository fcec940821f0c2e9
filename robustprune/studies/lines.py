"""What curves over sparsity and calibration draw: points of settings, averaged over their seeds, out of the table of all results."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from robustprune.base.rates import Rate
from robustprune.studies.seed_groups import Group

if TYPE_CHECKING:
    import pandas as pd

Lines = dict[str, list[tuple[float, float, float, float, str]]]
Namer = Callable[[dict[str, Any]], str]


def of_one_sample(rows: "pd.DataFrame", recipe: str) -> "pd.DataFrame":
    """The rows of one recipe that were attacked on the same texts: on the sample that most of them share."""
    mine = rows[rows["recipe"] == recipe]
    return mine[mine["texts"] == mine["texts"].mode().iloc[0]] if len(mine) else mine


def lines(found: Sequence[Group], place: str, measure: Callable[[Group], Rate], name: Namer) -> Lines:
    """A line for every name, its points by their place (a setting), each with its value, interval and the digest of its first run."""
    made: Lines = {}
    for group in sorted(found, key=lambda one: one.settings[place]):
        value = measure(group)
        if value.value is not None:
            made.setdefault(name(group.settings), []).append((group.settings[place], value.value, value.low, value.high, group.digest))
    return made


def families(found: Sequence[Group], but: str) -> list[Group]:
    """The groups that have another beside them which differs in that one setting alone."""
    kinds: dict[str, set[Any]] = {}
    for one in found:
        kinds.setdefault(_kind(one, but), set()).add(one.settings[but])
    return [one for one in found if len(kinds[_kind(one, but)]) > 1]


def _kind(group: Group, but: str) -> str:
    return repr(group.settings | {but: None})
