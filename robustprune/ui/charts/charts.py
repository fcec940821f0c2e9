"""Figures as pure functions of plain values. The theme (colours, fonts) is Streamlit's; meaning never hangs on colour alone."""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from robustprune.studies.figures import BLUE, GREEN, GREY, LAYOUT_MARGIN, ORANGE

# The meta of a trace that marks what is chosen, and is no data.
MARK = "mark"


def over_sparsity(
    lines: dict[str, list[tuple[float, float, float, float]]],
    dense: tuple[float, float, float] | None,
    chosen: float,
    title: str,
    dense_name: str,
    percent: bool,
) -> go.Figure:
    """One score against sparsity, a line a method, with intervals; the dense model as a dashed line, the chosen sparsity marked.

    Args:
        lines: for every method, (sparsity, value, low, high) by sparsity; low and high equal to the value where there is no interval.
        dense: value, low and high of the dense model.
        percent: whether the score is a share, to be told in per cent.
    """
    figure = go.Figure()
    styles = ((BLUE, "circle", "solid"), (ORANGE, "diamond", "dot"), (GREEN, "square", "dashdot"))
    for (name, points), (colour, symbol, dash) in zip(lines.items(), styles, strict=False):
        x, y, low, high = (list(values) for values in zip(*points, strict=True))
        figure.add_scatter(
            x=x, y=y, name=name, mode="lines+markers", line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": [16 if abs(s - chosen) < 1e-9 else 7 for s in x]},
            error_y={"type": "data", "symmetric": False, "array": np.subtract(high, y), "arrayminus": np.subtract(y, low), "thickness": 1, "width": 3},
            hovertemplate="%{x:.1%}: %{y" + (":.1%" if percent else ":.3f") + "}<extra>" + name + "</extra>",
        )  # fmt: skip
    if dense:
        note = {"text": dense_name, "font": {"color": GREY}}
        figure.add_hline(y=dense[0], line={"dash": "dash", "width": 1.5, "color": GREY}, annotation=note, annotation_position="top left")
    figure.add_vline(x=chosen, line={"width": 1, "color": GREY, "dash": "dot"})
    figure.update_layout(title={"text": title, "font": {"size": 15}}, height=290, margin=LAYOUT_MARGIN, legend={"orientation": "h", "y": -0.2}, showlegend=True)
    figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(rangemode="tozero", tickformat=".0%" if percent else None)
    return figure


def probability_path(
    paths: dict[str, Sequence[tuple[int, float, str]]], axis: str, queries: str, flip: float | None, here: tuple[int, float] | None = None
) -> go.Figure:
    """The true label's probability over the queries of an attack, a step at every accepted swap, a line a model.

    Args:
        paths: for every model, (queries, probability, what was swapped) in order.
        axis, queries: titles of the axes.
        flip: below this the prediction changes (two classes).
        here: the moment to mark, queries and probability.
    """
    figure = go.Figure()
    for (name, points), colour, symbol in zip(paths.items(), (BLUE, ORANGE, GREEN), ("circle", "diamond", "square"), strict=False):
        x, y, words = zip(*points, strict=True)
        figure.add_scatter(
            x=x, y=y, name=name, mode="lines+markers", text=[escape(word) for word in words],
            line={"color": colour, "width": 2, "shape": "hv"}, marker={"symbol": symbol, "size": 8},
            hovertemplate="%{text} (%{x}): %{y:.3f}<extra>" + name + "</extra>",
        )  # fmt: skip
    if flip is not None:
        figure.add_hline(y=flip, line={"dash": "dash", "width": 1.5, "color": GREY})
    if here:
        ring = {"symbol": "circle-open", "size": 18, "color": GREY, "line": {"width": 3}}
        figure.add_scatter(x=[here[0]], y=[here[1]], mode="markers", marker=ring, showlegend=False, hoverinfo="skip")
    figure.update_layout(height=320, margin=LAYOUT_MARGIN, legend={"orientation": "h", "y": 1.15}, yaxis_title=axis, xaxis_title=queries)
    figure.update_yaxes(range=[-0.03, 1.03])
    return figure
