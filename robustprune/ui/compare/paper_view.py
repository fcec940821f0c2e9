"""The paper's own numbers, shown beside ours but clearly separate.

They come from another model, from other texts, and from an attacker with other resources.
"""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from robustprune import lab
from robustprune.studies import paper
from robustprune.studies.figures import curves
from robustprune.studies.paper import PaperRow
from robustprune.ui import exports
from robustprune.ui.frame import shell
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import said, t

LINES = ("Ada-Pruning", "RMC", "RobusT", "Bag-of-Tricks")


def show() -> None:
    """Shows Table 1 as printed, and its rows as lines over sparsity."""
    rows = paper.rows(lab.find_model(shell.model()).dataset)
    if not rows:
        st.info(t("paper.none"), icon=":material/menu_book:")
        return
    st.warning(t("paper.apart"), icon=":material/menu_book:")
    start = next(row for row in rows if row.method == "Weight average")
    figures = {}
    for column, rate, title in zip(st.columns(2), ("acc", "aua"), (t("overview.accuracy"), t("overview.aua")), strict=True):
        lines = {
            name: [(row.sparsity, *[getattr(row, rate)] * 3, "") for row in rows if row.method == name]
            for name in LINES
        }  # fmt: skip
        figure = curves(lines, (start.method, getattr(start, rate)), t("compare.sparsity"), title, percent=True)
        figures[title] = figure
        with column:
            exports.chart(figure, alt=t("paper.alt", title=title), key=f"paper-{rate}")
    frame = frame_of(rows)
    st.dataframe(frame, hide_index=True)
    exports.offer("paper", figures, {t("export.table"): frame})
    st.caption(source(rows))


def frame_of(rows: Sequence[PaperRow]) -> pd.DataFrame:
    """The rows as printed in the paper. An asterisk marks an Asr that contradicts the other numbers of its row."""
    return pd.DataFrame([
        {
            t("compare.method"): row.method, t("compare.sparsity"): wording.percent(row.sparsity),
            t("compare.retrains"): t("compare.yes" if row.retrains else "compare.no"),
            t("overview.accuracy"): f"{row.acc:.1%}", t("overview.aua"): f"{row.aua:.1%}",
            t("compare.asr"): f"{row.asr:.1%}" + ("" if row.asr_consistent else " *"),
        }
        for row in rows
    ])  # fmt: skip


def source(rows: Sequence[PaperRow]) -> str:
    """The source of the rows. If a row has an asterisk, also what the asterisk means."""
    return said(paper.citation()) + ("" if all(row.asr_consistent for row in rows) else " " + t("paper.inconsistent"))
