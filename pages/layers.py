"""Where does the error arise, and who corrects it?"""

import pandas as pd
import streamlit as st

from robustprune.results import PruneRun
from robustprune.ui import charts, shell
from robustprune.ui.i18n import t

MOST_COMPARED = 3

shell.require_entrypoint()

st.title(t("layers.title"))
st.markdown(t("layers.question"))
run = shell.need_run()


def table(shown: PruneRun) -> pd.DataFrame:
    """The chart's numbers, a row a layer."""
    columns = ("name", "shape", "sparsity", "uncorrected", "inherited", "own", "total", "solver", "held_out", "ridge", "damping", "seconds")
    rows = [{column: getattr(layer, column) for column in columns} for layer in shown.report.layers]
    return pd.DataFrame(rows).assign(shape=lambda frame: frame["shape"].map(lambda shape: f"{shape[0]} x {shape[1]}"))


def findings(shown: PruneRun) -> str:
    """What the bars say, in words, from this run's own numbers."""
    layers = shown.report.layers
    worst = max(layers, key=lambda layer: layer.own)
    name, block = charts.short_name(worst.name)
    corrected = sum(layer.uncorrected - layer.inherited for layer in layers) / len(layers)
    return t(
        "layers.findings", worst=t("layers.place", name=name, block=block), own=f"{worst.own:.3f}", mean=f"{shown.mean_error:.3f}",
        held_out=f"{shown.mean_held_out:.3f}", corrected=f"{corrected:.3f}",
    )  # fmt: skip


def draw(shown: PruneRun) -> None:
    """One run: name, bars, findings."""
    st.subheader(shell.run_name(shown))
    st.plotly_chart(charts.layer_errors(shown.report.layers, shell.error_names()), alt=t("layers.alt"), key=f"bars-{shown.digest}")
    st.markdown(findings(shown))


others = {other.digest: other for other in shell.runs_of(shell.model()) if other.digest != run.digest}
draw(run)
with st.expander(t("layers.how_to_read"), icon=":material/help:", expanded=False):
    st.markdown(t("layers.how_to_read_text"))
compared = st.multiselect(
    t("layers.compare"),
    list(others),
    key="compare",
    bind="query-params",
    max_selections=MOST_COMPARED,
    format_func=lambda digest: shell.run_name(others[digest]),
)
for digest in compared:
    draw(others[digest])
frame = table(run)
with st.expander(t("layers.table"), icon=":material/table:"):
    st.dataframe(frame, hide_index=True, column_config={name: st.column_config.NumberColumn(format="%.4f") for name in frame.columns[2:]})
st.download_button(t("layers.csv"), frame.to_csv(index=False), f"layers-{run.digest}.csv", "text/csv", icon=":material/download:", on_click="ignore")
