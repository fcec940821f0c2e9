"""Groups of rows of the results table that differ only in the seed. Curves, claims and the report are computed from these groups."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from robustprune.base.rates import Rate
from robustprune.studies import intervals

if TYPE_CHECKING:
    import pandas as pd

# The outcomes that count as a success for each measure, as characters of ``robustprune.studies.table.OUTCOMES``. Both measures are shares
# of all texts: texts that held (Aua), and texts that were classified correctly before the attack (Acc).
MEASURES = {"aua": "h", "acc": "hf"}
OF_RUN = ["kind", "start", "dataset", "method", "adaptive", "sparsity", "calibration"]
OF_ATTACK = ["attacked_dataset", "recipe", "texts", "query_budget"]


@dataclass(frozen=True)
class Group:
    """All seeds of one setting.

    Attributes:
        settings: the values of the columns OF_RUN and, for attacked runs, OF_ATTACK; None for columns that do not apply.
        outcomes: the outcome of every text, seeds by texts, as characters (``robustprune.studies.table.OUTCOMES``); empty if not attacked.
        rows: the rows of the results table, one per seed.
    """

    settings: dict[str, Any]
    outcomes: np.ndarray
    rows: "pd.DataFrame"

    @property
    def digest(self) -> str:
        """The digest of the first seed's run."""
        return self.rows["digest"].iloc[0]

    def table(self, measure: str) -> intervals.Outcomes:
        """A table, seeds by texts: 1 if the outcome of the text is a success for the measure, else 0."""
        return np.isin(self.outcomes, list(MEASURES[measure])).astype(float)

    def rate(self, measure: str) -> Rate:
        """The measure over all texts and seeds, with its interval."""
        return intervals.rate(self.table(measure))

    def accuracy(self) -> Rate:
        """The accuracy on the evaluation texts, averaged over seeds, with its interval. Without a value if it was not measured."""
        known = self.rows["accuracy"].dropna().to_numpy(float)
        return intervals.of_counts(known, int(self.rows["accuracy_examples"].min())) if len(known) else intervals.NOTHING


def groups(results: "pd.DataFrame") -> list[Group]:
    """The attacked rows, grouped by setting.

    Rows with a word budget, rows with a stopped or failed text, and pruned runs with a pattern or an unusual setting (column ``usual``) are
    left out.
    """
    rows = results[results["recipe"].notna() & results["word_budget"].isna()]
    rows = rows[~rows["outcomes"].str.contains("[tx]", na=True)]
    return _grouped(rows, OF_RUN + OF_ATTACK)


def pruned_runs(results: "pd.DataFrame") -> list[Group]:
    """All pruned runs, attacked or not, grouped by setting. Runs with a pattern or with unusual other settings are left out."""
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
