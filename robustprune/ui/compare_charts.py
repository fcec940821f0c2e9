"""Figures that compare runs: curves over sparsity and over calibration texts, and sentence embeddings. Pure functions of plain values."""

from collections.abc import Sequence
from html import escape
from itertools import cycle

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from robustprune.analysis.embeddings import Embeddings, distances, lengths, projection
from robustprune.ui.charts import BLUE, GREEN, GREY, MARGIN, ORANGE

STYLES = ((BLUE, "circle", "solid"), (ORANGE, "diamond", "dot"), (GREEN, "square", "dashdot"), ("#8E6BB0", "triangle-up", "dash"), (GREY, "x", "longdash"))
HEIGHT = 360
# (place on the axis, value, low, high, what a click gives)
Point = tuple[float, float, float, float, str]


def curves(lines: dict[str, Sequence[Point]], reference: tuple[str, float] | None, axis: str, title: str, percent: bool) -> go.Figure:
    """Scores over sparsity or over the number of calibration texts, a line a method, with intervals. A click gives ``customdata``.

    Args:
        reference: name and value of the dense model, as a dashed line.
        percent: whether the axis is a share, to be told in per cent; else a number of texts, on a logarithmic axis.
    """
    figure = go.Figure()
    for (name, points), (colour, symbol, dash) in zip(lines.items(), cycle(STYLES), strict=False):
        x, y, low, high, keys = (list(values) for values in zip(*points, strict=True))
        figure.add_scatter(
            x=x, y=y, name=name, mode="lines+markers", customdata=keys, line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 9}, selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
            error_y={"type": "data", "symmetric": False, "array": np.subtract(high, y), "arrayminus": np.subtract(y, low), "thickness": 1, "width": 3},
            hovertemplate=("%{x:.1%}" if percent else "%{x}") + ": %{y:.1%}<extra>" + name + "</extra>",
        )  # fmt: skip
    if reference:
        note = {"text": reference[0], "font": {"color": GREY}}
        figure.add_hline(y=reference[1], line={"dash": "dash", "width": 1.5, "color": GREY}, annotation=note, annotation_position="top left")
    figure.update_layout(
        title={"text": title, "font": {"size": 15}}, height=HEIGHT, margin=MARGIN, legend={"orientation": "h", "y": -0.25}, showlegend=True,
        xaxis_title=axis, clickmode="event+select", dragmode=False,
    )  # fmt: skip
    places = sorted({point[0] for points in lines.values() for point in points})
    figure.update_xaxes(**({"tickformat": ".0%"} if percent else {"type": "log", "tickvals": places, "ticktext": [f"{place:g}" for place in places]}))
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return figure


def embedding_distances(dense: Embeddings, sparse: dict[str, Embeddings], words: dict[str, str]) -> go.Figure:
    """How far every sparse model's [CLS] is from the dense model's after every block, for an original (first) and an adversarial text.

    Distances are over the length of the dense embedding.

    Args:
        words: for ``original``, ``adversarial``, ``block``, ``distance``.
    """
    figure = go.Figure()
    blocks = [str(number) for number in range(1, dense.values.shape[1])]
    for (name, one), (colour, _, _) in zip(sparse.items(), cycle(STYLES), strict=False):
        relative = distances(dense, one) / lengths(dense)
        for values, which, dash, symbol in zip(relative, ("original", "adversarial"), ("solid", "dot"), ("circle", "x"), strict=True):
            figure.add_scatter(
                x=blocks, y=values[1:], name=f"{name}, {words[which]}", mode="lines+markers", line={"color": colour, "dash": dash, "width": 2},
                marker={"symbol": symbol, "size": 8}, hovertemplate=words["block"] + " %{x}: %{y:.3f}<extra></extra>",
            )  # fmt: skip
    figure.update_layout(height=HEIGHT, margin=MARGIN, xaxis_title=words["block"], yaxis_title=words["distance"], legend={"orientation": "h", "y": -0.25})
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(type="category")
    return figure


def embedding_map(models: dict[str, Embeddings], block: int, words: dict[str, str], texts: Sequence[str]) -> tuple[go.Figure, Float[np.ndarray, "2"]]:
    """The [CLS] embeddings of an original (first) and an adversarial text after a block, from 1, on their first two principal components;
    and the shares of the variance that these hold.

    An arrow leads from every original to its adversarial twin: the shorter, the less the swaps moved that model.
    """
    points = np.concatenate([one.values[:, block] for one in models.values()])
    flat, shares = projection(points)
    figure = go.Figure()
    for number, (name, (colour, symbol, _)) in enumerate(zip(models, cycle(STYLES), strict=False)):
        (x0, y0), (x1, y1) = flat[2 * number : 2 * number + 2]
        figure.add_scatter(
            x=[x0, x1], y=[y0, y1], name=name, mode="lines+markers+text", text=[words["original"], words["adversarial"]], textposition="top center",
            marker={"symbol": [symbol, f"{symbol}-open"], "size": 12, "color": colour}, line={"color": colour, "width": 1.5, "dash": "dot"},
            hovertext=[escape(text) for text in texts], hovertemplate="%{hovertext}<extra>" + name + "</extra>", textfont={"size": 10},
        )  # fmt: skip
    figure.update_layout(height=HEIGHT, margin=MARGIN, legend={"orientation": "h", "y": -0.2})
    for axis, share, number in ((figure.update_xaxes, shares[0], 1), (figure.update_yaxes, shares[1], 2)):
        axis(title=f"{words['component']} {number} ({share:.0%})", zeroline=False)
    # One unit is as long on both axes: distances in the picture are to be compared.
    figure.update_yaxes(scaleanchor="x")
    return figure, shares
