"""Shows the straight line between the weights of two models: loss, accuracy, and accuracy under attack of the averages along the line."""

import streamlit as st

from robustprune.lab.curves import Curve
from robustprune.specs.attack import AttackSpec
from robustprune.ui import exports
from robustprune.ui.charts import dense_charts
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import t


def show(found: Curve) -> None:
    """Draws the chart, says what it was measured on, and offers its numbers as a download."""
    words = {"accuracy": t("overview.accuracy"), "aua": t("overview.aua"), "loss": t("dense.loss"), "rate": t("dense.rate")}
    words["share"] = t("dense.share", name=found.second)
    figure = dense_charts.averaging_curve(found.points, words)
    exports.chart(figure, alt=t("dense.curve_alt"), key=f"curve-{found.digest}")
    on = found.evaluated_on
    note = t(
        "dense.curve_note", examples=on["examples"], dataset=wording.plain(on["dataset"]), first=wording.plain(found.first), second=wording.plain(found.second)
    )
    st.caption(note + (" " + t("dense.curve_attacked", texts=found.attacked, recipe=AttackSpec().recipe) if found.attacked else ""))
    exports.offer(f"curve-{found.digest}", {t("dense.curve_title"): figure}, documents={t("export.all_numbers"): found.to_json()})
