"""Rows of the results table that differ in nothing but the seed, taken together: what curves, claims and the report draw from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from robustprune.base.rates import Rate
from robustprune.studies import intervals

if TYPE_CHECKING:
    import pandas as pd

# Which outcomes of a text count: accuracy under attack is of all texts, so are those that were right before it.
MEASURES = {"aua": "h", "acc": "hf"}
OF_RUN = ["kind", "start", "dataset", "method", "adaptive", "sparsity", "calibration"]
OF_ATTACK = ["attacked_dataset", "recipe", "texts", "query_budget"]


@dataclass(frozen=True)
class Group:
    """The seeds of one setting.

    Attributes:
        settings: OF_RUN, and where it was attacked OF_ATTACK; None for what does not apply.
        outcomes: of every text, seeds by texts, as characters (``results_table.OUTCOMES``); empty where it was not attacked.
        rows: the rows of the results table, one a seed.
    """

    settings: dict[str, Any]
    outcomes: np.ndarray
    rows: "pd.DataFrame"

    @property
    def digest(self) -> str:
        """The first seed's run."""
        return self.rows["digest"].iloc[0]

    def table(self, measure: str) -> intervals.Outcomes:
        """Ones where a text counts for the measure, zeros elsewhere."""
        return np.isin(self.outcomes, list(MEASURES[measure])).astype(float)

    def rate(self, measure: str) -> Rate:
        """The measure over texts and seeds."""
        return intervals.rate(self.table(measure))

    def accuracy(self) -> Rate:
        """Accuracy on as many evaluation texts as there are, over seeds; of nothing where it was not measured."""
        known = self.rows["accuracy"].dropna().to_numpy(float)
        return intervals.of_counts(known, int(self.rows["accuracy_examples"].min())) if len(known) else intervals.NOTHING


def groups(results: "pd.DataFrame") -> list[Group]:
    """The attacked rows by setting. Left out: what was not made with the usual other settings, and where a text has no outcome."""
    rows = results[results["recipe"].notna() & results["word_budget"].isna()]
    rows = rows[~rows["outcomes"].str.contains("[tx]", na=True)]
    return _grouped(rows, OF_RUN + OF_ATTACK)


def pruned_runs(results: "pd.DataFrame") -> list[Group]:
    """All pruned runs by setting, attacked or not."""
    return _grouped(results[results["kind"] == "pruned"].drop_duplicates("digest"), OF_RUN)


def _grouped(rows: "pd.DataFrame", by: list[str]) -> list[Group]:
    import pandas as pd

    rows = rows[(rows["kind"] != "pruned") | (rows["usual"].fillna(False) & rows["pattern"].isna())]
    found = []
    for key, part in rows.drop_duplicates([*by, "seed"]).groupby(by, dropna=False, sort=True):
        settings = {name: None if pd.isna(value) else value for name, value in zip(by, key, strict=True)}
        outcomes = np.array([list(one) for one in part["outcomes"]]) if "recipe" in by else np.empty((0, 0))
        found.append(Group(settings, outcomes, part))
    return found
