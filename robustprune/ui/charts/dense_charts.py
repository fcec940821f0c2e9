"""Figures of dense models and of tables: the greedy soup step by step, the line between two models, and models side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from robustprune.lab.curves import Point
from robustprune.studies.figures import BLUE, GREEN, GREY, LAYOUT_MARGIN, ORANGE
from robustprune.training.greedy_soup import Step

POINTS = "%{y:.1%}"


def soup_steps(steps: Sequence[Step], words: dict[str, str]) -> go.Figure:
    """Draws the greedy choice step by step: accuracy under attack of every ingredient alone, and of the average that includes it.

    A staircase shows the accuracy under attack of the soup so far.

    Args:
        words: the texts for ``alone``, ``kept``, ``refused``, ``soup``, ``aua``.
    """
    names = [step.name for step in steps]
    best, so_far = [], 0.0
    for step in steps:
        so_far = step.together.aua if step.kept else so_far
        best.append(so_far)
    figure = go.Figure()
    figure.add_scatter(x=names, y=best, name=words["soup"], mode="lines", line={"color": GREY, "shape": "hvh", "width": 2}, hoverinfo="skip")
    figure.add_scatter(
        x=names, y=[step.alone.aua for step in steps], name=words["alone"], mode="markers", marker={"symbol": "circle-open", "size": 11, "color": BLUE},
        hovertemplate="%{x}<br>" + words["alone"] + f": {POINTS}<extra></extra>",
    )  # fmt: skip
    for kept, key, colour, symbol in ((True, "kept", GREEN, "diamond"), (False, "refused", ORANGE, "x")):
        chosen = [step for step in steps if step.kept == kept]
        if chosen:
            figure.add_scatter(
                x=[step.name for step in chosen], y=[step.together.aua for step in chosen], name=words[key], mode="markers",
                marker={"symbol": symbol, "size": 13, "color": colour}, hovertemplate="%{x}<br>" + words[key] + f": {POINTS}<extra></extra>",
            )  # fmt: skip
    return _shares(figure, words["aua"]).update_xaxes(categoryorder="array", categoryarray=names)


def averaging_curve(points: Sequence[Point], words: dict[str, str]) -> go.Figure:
    """Draws accuracy along the line between two models, accuracy under attack where it is known, and the loss on its own axis.

    Args:
        words: the texts for ``accuracy``, ``aua``, ``loss``, ``share``, ``rate``.
    """
    figure = go.Figure()
    share = [point.share for point in points]
    accuracy = ([point.accuracy for point in points], [point.accuracy_low for point in points], [point.accuracy_high for point in points])
    figure.add_scatter(x=share, name=words["accuracy"], **_line(*accuracy, BLUE, "circle", "solid"))
    attacked = [point for point in points if point.scores]
    if attacked:
        values, low, high = ([point.scores[key] for point in attacked] for key in ("aua", "aua_low", "aua_high"))
        figure.add_scatter(x=[point.share for point in attacked], name=words["aua"], **_line(values, low, high, GREEN, "square", "dash"))
    figure.add_scatter(
        x=share, y=[point.loss for point in points], name=words["loss"], yaxis="y2", mode="lines+markers",
        line={"color": ORANGE, "dash": "dot", "width": 2}, marker={"symbol": "diamond"}, hovertemplate="%{x:.0%}: %{y:.3f}<extra>" + words["loss"] + "</extra>",
    )  # fmt: skip
    figure.update_layout(yaxis2={"title": words["loss"], "overlaying": "y", "side": "right", "rangemode": "tozero", "showgrid": False, "tickformat": ".2f"})
    return _shares(figure, words["rate"]).update_xaxes(tickformat=".0%", title=words["share"])


def side_by_side(rows: Sequence[dict[str, Any]], words: dict[str, str]) -> go.Figure:
    """Draws accuracy and accuracy under attack of several models with their intervals, one row per model.

    Args:
        rows: one dictionary per model, with its ``name`` and its flat ``scores``.
        words: the texts for ``acc`` and ``aua``.
    """
    figure = go.Figure()
    names = [row["name"] for row in rows]
    for key, colour, symbol in (("acc", BLUE, "circle"), ("aua", GREEN, "square")):
        values, low, high = ([row["scores"][name] for row in rows] for name in (key, f"{key}_low", f"{key}_high"))
        figure.add_scatter(
            x=values, y=names, name=words[key], mode="markers", marker={"symbol": symbol, "size": 10, "color": colour}, error_x=_bars(values, low, high),
            hovertemplate="%{y}: %{x:.1%}<extra>" + words[key] + "</extra>",
        )  # fmt: skip
    figure.update_layout(height=110 + 34 * len(rows), margin=LAYOUT_MARGIN, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0})
    return figure.update_yaxes(autorange="reversed").update_xaxes(tickformat=".0%", range=[0, 1.02])


def _line(values: list[float], low: list[float], high: list[float], colour: str, symbol: str, dash: str) -> dict[str, Any]:
    marker, line = {"symbol": symbol, "size": 8}, {"color": colour, "dash": dash, "width": 2}
    return {"y": values, "mode": "lines+markers", "line": line, "marker": marker, "error_y": _bars(values, low, high), "hovertemplate": "%{x:.0%}: " + POINTS}


def _bars(values: list[float], low: list[float], high: list[float]) -> dict[str, Any]:
    return {"type": "data", "symmetric": False, "array": np.subtract(high, values), "arrayminus": np.subtract(values, low), "thickness": 1, "width": 3}


def _shares(figure: go.Figure, title: str) -> go.Figure:
    figure.update_layout(height=380, margin=LAYOUT_MARGIN, legend={"orientation": "h", "y": 1.12, "x": 0}, yaxis={"tickformat": ".0%", "title": title})
    return figure
