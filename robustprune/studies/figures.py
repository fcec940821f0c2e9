"""Draws curves over sparsity or over the number of calibration texts, and defines the colours of all figures and their look outside the app."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import plotly.graph_objects as go

BLUE, ORANGE, GREEN, GREY = "#3D6FB4", "#E07B39", "#5B9E6B", "#8A94A3"
LAYOUT_MARGIN = {"l": 10, "r": 10, "t": 40, "b": 10}

STYLES = ((BLUE, "circle", "solid"), (ORANGE, "diamond", "dot"), (GREEN, "square", "dashdot"), ("#8E6BB0", "triangle-up", "dash"), (GREY, "x", "longdash"))
HEIGHT = 360
# (position on the x axis, value, low end and high end of the interval, the key that a click returns)
Point = tuple[float, float, float, float, str]


def standalone(figure: go.Figure) -> go.Figure:
    """Returns a copy of a figure for a page outside the app, in Plotly's white template.

    Streamlit replaces Plotly's default template when it is imported. The colours of its template are placeholders that only Streamlit's pages
    replace, and it reserves no room for tick labels.
    """
    return go.Figure(figure).update_layout(template="plotly_white")


def curves(lines: dict[str, Sequence[Point]], reference: tuple[str, float] | None, axis: str, title: str, percent: bool) -> go.Figure:
    """Draws scores with intervals over sparsity or over the number of calibration texts, one line per method.

    A click on a point returns its ``customdata``, the key of the point.

    Args:
        reference: name and value of the dense model, drawn as a dashed line.
        percent: True if the x axis is a share, shown in per cent; False if it is a number of texts, on a logarithmic axis.
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
        title={"text": title, "font": {"size": 15}}, height=HEIGHT, margin=LAYOUT_MARGIN, legend={"orientation": "h", "y": -0.25}, showlegend=True,
        xaxis_title=axis, clickmode="event+select", dragmode=False,
    )  # fmt: skip
    places = sorted({point[0] for points in lines.values() for point in points})
    figure.update_xaxes(**({"tickformat": ".0%"} if percent else {"type": "log", "tickvals": places, "ticktext": [f"{place:g}" for place in places]}))
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return figure
