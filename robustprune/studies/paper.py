"""The numbers that the paper reports (Li et al. 2023, Tables 1 and 2). They are shown beside our results but in a separate table."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from robustprune.base import paths
from robustprune.base.messages import Message, say

FILE = paths.ASSETS / "paper.json"


@dataclass(frozen=True)
class PaperRow:
    """One row of the paper's tables, with rates in [0, 1]. The printed ``asr`` sometimes differs from 1 - Aua / Acc."""

    method: str
    sparsity: float
    retrains: bool
    acc: float
    aua: float
    asr: float

    @property
    def asr_consistent(self) -> bool:
        """True if the printed Asr equals 1 - Aua / Acc within 0.01, a difference that rounding and averaging over seeds can explain."""
        return abs(self.asr - (1 - self.aua / self.acc)) < 0.01


def citation() -> Message:
    """The source of the numbers, and what they were measured on."""
    return say("studies.paper_source")


def rows(dataset: str | None) -> list[PaperRow]:
    """The paper's rows for a data set. Empty if the paper has no results on it."""
    return [PaperRow(method, sparsity, retrains, *(rate / 100 for rate in rates)) for method, sparsity, retrains, *rates in _content().get(dataset, ())]


@cache
def _content() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))
