"""The paper's claims, each answered yes or no from our own numbers, with downloads of the report and of the table of all results."""

import io
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from robustprune import studies
from robustprune.base import locales
from robustprune.studies import report as report_page
from robustprune.studies.claims import Answer, verdicts
from robustprune.ui import exports
from robustprune.ui.frame import shell
from robustprune.ui.words import i18n, wording
from robustprune.ui.words.i18n import t

SWEEP = "python -m robustprune sweep assets/sweeps/table1-small.yaml"


def show() -> None:
    """Shows every claim as a sentence, and below it a table of all settings in which the claim was tested."""
    results = studies.results()
    mine = results[results["start"] == shell.model()]
    found = studies.answers(mine)
    st.markdown(t("claims.question"))
    if not found:
        st.info(t("claims.none"), icon=":material/rule:")
        st.code(SWEEP, language="sh")
        return
    words = locales.texts(i18n.language())
    for verdict in verdicts(found):
        if verdict.measure == "aua":  # the claim is about robustness; the table below also shows accuracy
            said = report_page.verdict_line(verdict, words)
            (st.success if verdict.yes else st.warning)(said, icon=":material/check_circle:" if verdict.yes else ":material/cancel:")
            st.dataframe(report_page.answers_frame([one for one in found if one.claim == verdict.claim], words), hide_index=True)
    st.caption(t("claims.how"))
    with st.container(horizontal=True):
        documents = [answer.to_json() for answer in found]
        exports.offer("claims", {}, {t("claims.table"): report_page.answers_frame(found, words)}, {t("export.all_numbers"): documents})
        if not shell.teaching():
            _offer_files(mine, found)
    with st.expander(t("claims.made")):
        for about in studies.shipped_sweeps():
            st.markdown(t("claims.sweep", **{name: wording.plain(str(value)) for name, value in about.items()}))
            st.code(about["command"], language="sh")


def _offer_files(results: pd.DataFrame, found: Sequence[Answer]) -> None:
    def parquet() -> bytes:
        buffer = io.BytesIO()
        results.to_parquet(buffer, index=False)
        return buffer.getvalue()

    def report() -> str:
        return report_page.page(results, found, studies.shipped_sweeps(), locales.texts(i18n.language()), i18n.language())

    st.download_button(t("claims.report"), report, "report.html", "text/html", key="report", on_click="ignore", icon=":material/description:")
    st.download_button(t("claims.parquet"), parquet, "results.parquet", key="parquet", on_click="ignore", icon=":material/table:")
