"""The paper's own figures (Li et al. 2023, Tables 1 and 2), to be shown beside ours and apart from them."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from robustprune.base import paths
from robustprune.base.messages import Message, say

FILE = paths.ASSETS / "paper.json"


@dataclass(frozen=True)
class PaperRow:
    """One row as it is printed; rates in [0, 1]. ``asr`` is printed too, in places other than 1 - Aua / Acc."""

    method: str
    sparsity: float
    retrains: bool
    acc: float
    aua: float
    asr: float

    @property
    def asr_consistent(self) -> bool:
        """Whether the printed Asr is 1 - Aua / Acc, up to what rounding and a mean of seeds explain."""
        return abs(self.asr - (1 - self.aua / self.acc)) < 0.01


def citation() -> Message:
    """Where the figures stand, and what they were measured on."""
    return say("studies.paper_source")


def rows(dataset: str | None) -> list[PaperRow]:
    """The rows of a data set; none for one that the paper does not have."""
    return [PaperRow(method, sparsity, retrains, *(rate / 100 for rate in rates)) for method, sparsity, retrains, *rates in _content().get(dataset, ())]


@cache
def _content() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))
