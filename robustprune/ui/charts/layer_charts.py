"""Figures of linear layers: the errors of all layers, and one layer close up. Pure functions of plain values, as in :mod:`charts`."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from robustprune.analysis.layers import LayerView
from robustprune.pruning.report import LayerReport
from robustprune.studies.figures import BLUE, GREY, LAYOUT_MARGIN, ORANGE
from robustprune.ui.charts.charts import MARK

SHORT_NAMES = {
    "attention.self.query": "Q", "attention.self.key": "K", "attention.self.value": "V", "attention.output.dense": "O",
    "intermediate.dense": "F1", "output.dense": "F2",
    "attention.q_lin": "Q", "attention.k_lin": "K", "attention.v_lin": "V", "attention.out_lin": "O", "ffn.lin1": "F1", "ffn.lin2": "F2",
}  # fmt: skip
CLOSE_UP_HEIGHT = 330


def short_name(layer: str) -> tuple[str, int]:
    """The short name of a layer and its block, from 1: ``block.2.attention.self.query`` gives ``("Q", 3)``."""
    _, block, name = layer.split(".", 2)
    return SHORT_NAMES.get(name, name), int(block) + 1


def layer_errors(layers: Sequence[LayerReport], names: dict[str, str], chosen: str | None = None, top: float | None = None) -> go.Figure:
    """Draws the error of every layer: inherited and own error as a stacked bar, and the error without correction as a tick.

    A click gives the index of the layer as ``point_index``.

    Args:
        names: the texts for ``inherited``, ``own``, ``uncorrected``, ``error``, ``block``, ``chosen``.
        chosen: the name of the layer to mark.
        top: the largest value that the axis must hold, so that several figures can share one scale.
    """
    places = [short_name(layer.name) for layer in layers]
    x = [[f"{names['block']} {block}" for _, block in places], [name for name, _ in places]]
    hover = [f"{layer.name}<br>{layer.shape[0]} x {layer.shape[1]}, {layer.sparsity:.2%}" for layer in layers]
    figure = go.Figure()
    for key, colour, pattern in (("inherited", BLUE, ""), ("own", ORANGE, "/")):
        figure.add_bar(
            x=x, y=[getattr(layer, key) for layer in layers], name=names[key], hovertext=hover,
            marker={"color": colour, "pattern": {"shape": pattern, "size": 5}},
            hovertemplate="%{hovertext}<br>" + names[key] + ": %{y:.4f}<extra></extra>",
            # Bars that are not selected must not fade: a click chooses a layer, and the mark below shows which one.
            selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
        )  # fmt: skip
    figure.add_scatter(
        x=x, y=[layer.uncorrected for layer in layers], name=names["uncorrected"], mode="markers",
        marker={"symbol": "line-ew", "size": 10, "line": {"width": 2.5, "color": GREY}}, hovertext=hover,
        hovertemplate="%{hovertext}<br>" + names["uncorrected"] + ": %{y:.4f}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )  # fmt: skip
    marked = [i for i, layer in enumerate(layers) if layer.name == chosen]
    if marked:
        at = marked[0]
        height = max(layers[at].total, layers[at].uncorrected)
        figure.add_scatter(
            x=[[x[0][at]], [x[1][at]]], y=[height], name=names["chosen"], mode="markers", marker={"symbol": "triangle-down", "size": 13, "color": GREY},
            cliponaxis=False, hoverinfo="skip", meta=MARK,
        )  # fmt: skip
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        height=400,
        margin=LAYOUT_MARGIN,
        legend={"orientation": "h", "y": 1.12, "x": 0, "traceorder": "normal"},
        yaxis_title=names["error"],
        clickmode="event+select",
        dragmode=False,
    )
    if top is not None:
        figure.update_yaxes(range=[0, top * 1.05])
    return figure


def mask_picture(view: LayerView, shape: tuple[int, int], names: dict[str, str]) -> go.Figure:
    """Draws where the zeros are: the share of weights kept in every cell of the matrix.

    Args:
        shape: the size of the matrix (out, in).
        names: the texts for ``input``, ``output``, ``kept``.
    """
    rows, columns = view.kept.shape
    places = [np.linspace(0, size, cells, endpoint=False) + size / cells / 2 for size, cells in zip(shape, (rows, columns), strict=True)]
    figure = go.Figure(go.Heatmap(
        z=view.kept.astype("float32"), x=places[1], y=places[0], colorscale="Blues", zmin=0, zmax=1,
        colorbar={"thickness": 8, "tickformat": ".0%"},
        hovertemplate=f"{names['output']} %{{y:.0f}}, {names['input']} %{{x:.0f}}: %{{z:.1%}} {names['kept']}<extra></extra>",
    ))  # fmt: skip
    figure.update_layout(height=CLOSE_UP_HEIGHT, margin=LAYOUT_MARGIN, xaxis_title=names["input"], yaxis_title=names["output"])
    figure.update_yaxes(autorange="reversed")
    return figure


def row_profile(view: LayerView, names: dict[str, str]) -> go.Figure:
    """Draws the error of every output of the pruned layer, largest first, beside its error without correction.

    Args:
        names: the texts for ``error``, ``rank``, ``total``, ``uncorrected``.
    """
    order = np.argsort(-view.total)
    figure = go.Figure()
    for values, name, colour, dash in ((view.total, names["total"], ORANGE, "solid"), (view.uncorrected, names["uncorrected"], GREY, "dot")):
        figure.add_scatter(
            x=np.arange(1, len(order) + 1), y=values[order], name=name, mode="lines", line={"color": colour, "dash": dash, "width": 1.5}, customdata=order,
            hovertemplate="%{customdata}: %{y:.4f}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_layout(
        height=CLOSE_UP_HEIGHT, margin=LAYOUT_MARGIN, xaxis_title=names["rank"], yaxis_title=names["error"], legend={"orientation": "h", "y": 1.12}
    )
    figure.update_yaxes(rangemode="tozero")
    return figure


def weights_histogram(view: LayerView, names: dict[str, str]) -> go.Figure:
    """Draws the distribution of the dense weights and of the weights that were kept.

    Args:
        names: the texts for ``weight``, ``count``, ``dense``, ``kept``.
    """
    middles = (view.edges[:-1] + view.edges[1:]) / 2
    figure = go.Figure()
    for counts, name, colour, dash in ((view.dense, names["dense"], BLUE, "dot"), (view.sparse, names["kept"], ORANGE, "solid")):
        figure.add_scatter(
            x=middles, y=counts, name=name, mode="lines", line={"color": colour, "dash": dash, "shape": "hvh", "width": 1.8},
            fill="tozeroy" if name == names["kept"] else None, hovertemplate="%{x:.3f}: %{y:,}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_layout(
        height=CLOSE_UP_HEIGHT, margin=LAYOUT_MARGIN, xaxis_title=names["weight"], yaxis_title=names["count"], legend={"orientation": "h", "y": 1.12}
    )
    return figure
