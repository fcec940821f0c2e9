"""Where does the error arise, and which layers correct it? The error bars of up to four runs, and any of their layers close up."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from robustprune import lab
from robustprune.analysis.layers import LayerView
from robustprune.lab.runs import PruneRun
from robustprune.pruning.report import LayerReport
from robustprune.ui import exports
from robustprune.ui.charts import layer_charts
from robustprune.ui.frame import shell
from robustprune.ui.jobs import panel
from robustprune.ui.words.i18n import meaning, t

# The width of a figure in pixels: three figures fill a wide page, one a narrow one.
CLOSE_UP_WIDTH = 300

shell.require_entrypoint()

st.title(t("layers.title"), help=meaning("reconstruction_error"))
st.markdown(t("layers.question"))


def table(shown: PruneRun) -> pd.DataFrame:
    """The numbers of the chart, one row per layer."""
    columns = ("name", "shape", "sparsity", "uncorrected", "inherited", "own", "total", "solver", "held_out", "ridge", "damping", "seconds")
    rows = [{column: getattr(layer, column) for column in columns} for layer in shown.report.layers]
    return pd.DataFrame(rows).assign(shape=lambda frame: frame["shape"].map(lambda shape: f"{shape[0]} x {shape[1]}"))


def findings(shown: PruneRun) -> str:
    """Says in words what the bars show, with this run's own numbers."""
    layers = shown.report.layers
    most = max(layers, key=lambda layer: layer.own)
    corrected = sum(layer.uncorrected - layer.inherited for layer in layers) / len(layers)
    return t(
        "layers.findings", worst=place(most.name), own=f"{most.own:.3f}", mean=f"{shown.mean_error:.3f}",
        held_out=f"{shown.mean_held_out:.3f}", corrected=f"{corrected:.3f}",
    )  # fmt: skip


def place(layer: str) -> str:
    """The readable name of a layer."""
    name, block = layer_charts.short_name(layer)
    return t("layers.place", name=name, block=block)


def clicked(key: str, names: Sequence[str]) -> None:
    """Chooses the layer of ``names`` whose bar was clicked in the chart ``key``."""
    points = st.session_state[key].selection.points
    if points:
        st.session_state["layer"] = names[points[0]["point_index"]]


def draw(shown: PruneRun, chosen: str, top: float | None) -> go.Figure:
    """Shows one run: name, bars, findings. Returns the figure of the bars."""
    st.subheader(shell.run_name(shown))
    figure = layer_charts.layer_errors(shown.report.layers, shell.error_names(), chosen, top)
    key, names = f"bars-{shown.digest}", [layer.name for layer in shown.report.layers]
    exports.chart(figure, alt=t("layers.alt"), key=key, on_select=lambda: clicked(key, names), selection_mode="points")
    st.markdown(findings(shown))
    return figure


def close_up(shown: PruneRun, report: LayerReport) -> None:
    """Shows one layer of one run: where its zeros are, which outputs have errors, and how its weights are distributed."""
    key = f"layers-{shown.digest}"
    views = lab.find_layer_views(shown)
    if views is None:
        panel.start_button(t("layers.look"), key, lambda job: lab.layer_views(shown, job.progress, job.cancel), help=t("layers.look_help"))
        panel.show(key)
        return
    view = views.layers[report.name]
    words = {key: t(f"layers.{key}") for key in ("input", "output", "kept", "error", "rank", "total", "uncorrected", "weight", "count", "dense")}
    figures = {
        "mask": layer_charts.mask_picture(view, report.shape, words),
        "rows": layer_charts.row_profile(view, words),
        "histogram": layer_charts.weights_histogram(view, words),
    }
    row = st.container(horizontal=True)
    for name, figure in figures.items():
        with row.container(width=CLOSE_UP_WIDTH):
            st.markdown(f"**{t(f'layers.{name}')}**", help=meaning("mask") if name == "mask" else None)
            exports.chart(figure, alt=t(f"layers.{name}_alt", layer=report.name), key=f"{name}-{shown.digest}")
            st.caption(t(f"layers.{name}_note", texts=views.texts))
    st.markdown(reading(view, report))
    exports.offer(f"layer-{shown.digest}", {t(f"layers.{name}"): figure for name, figure in figures.items()})


def reading(view: LayerView, report: LayerReport) -> str:
    """Says in words what the pictures of a layer show, with the layer's own numbers."""
    tenth = max(len(view.total) // 10, 1)
    ordered = sorted(view.total, reverse=True)
    share = sum(ordered[:tenth]) / max(sum(ordered), 1e-12)
    columns = view.kept.mean(0)
    return t(
        "layers.reading_close", layer=place(report.name), sparsity=f"{report.sparsity:.2%}", share=f"{share:.0%}",
        low=f"{columns.min():.0%}", high=f"{columns.max():.0%}",
    )  # fmt: skip


run = shell.need_run()
runs = shell.chosen_runs()
names = [layer.name for layer in run.report.layers]
worst = max(run.report.layers, key=lambda layer: layer.own).name
chosen = st.selectbox(t("layers.layer"), names, index=names.index(worst), key="layer", bind="query-params", help=t("layers.layer_help"), width=420)
top = max(max(layer.total, layer.uncorrected) for shown in runs for layer in shown.report.layers) if len(runs) > 1 else None
drawn = {shell.run_name(shown): draw(shown, chosen, top) for shown in runs}
with st.expander(t("layers.how_to_read"), icon=":material/help:", expanded=False):
    st.markdown(t("layers.how_to_read_text"))
st.subheader(t("layers.close_up", layer=chosen), help=meaning("linear_layer"))
for shown in runs:
    report = next((layer for layer in shown.report.layers if layer.name == chosen), None)
    if report:
        if len(runs) > 1:
            st.markdown(f"**{shell.run_name(shown)}**")
        close_up(shown, report)
frame = table(run)
with st.expander(t("layers.table"), icon=":material/table:"):
    numbers = {name: st.column_config.NumberColumn(t(f"layers.column_{name}"), format="%.4f") for name in frame.columns[2:]}
    names_of = {name: t(f"layers.column_{name}") for name in frame.columns[:2]}
    st.dataframe(frame, hide_index=True, column_config=names_of | numbers)
exports.offer("layers", drawn, {shell.run_name(shown): table(shown) for shown in runs})
