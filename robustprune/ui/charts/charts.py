"""Figures as pure functions of plain values. Streamlit's theme sets colours and fonts. No meaning depends on colour alone."""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from robustprune.studies.figures import BLUE, GREEN, GREY, LAYOUT_MARGIN, ORANGE

# The ``meta`` of a trace that marks a selection and holds no data.
MARK = "mark"


def over_sparsity(
    lines: dict[str, list[tuple[float, float, float, float]]],
    dense: tuple[float, float, float] | None,
    chosen: float,
    title: str,
    dense_name: str,
    percent: bool,
) -> go.Figure:
    """Draws one score against sparsity with intervals, one line per method.

    A dashed line shows the dense model, and the chosen sparsity is marked.

    Args:
        lines: for every method, its points (sparsity, value, low, high) in order of sparsity. Without an interval, low and high equal the value.
        dense: value, low and high of the dense model; None draws no line for it.
        percent: whether the score is a share that is shown in percent.
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
    """Draws the true label's probability over the queries of an attack, one line per model, with a step at every accepted swap.

    Args:
        paths: for every model, its points (queries, probability, what was swapped) in order.
        axis, queries: the titles of the axes.
        flip: the probability below which the prediction changes (only with two classes, else None).
        here: the moment to mark, as (queries, probability).
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
