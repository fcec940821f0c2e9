"""Figures of the lessons. Pure functions of plain values, as in :mod:`charts`."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from robustprune.pruning.report import LayerReport
from robustprune.studies.figures import BLUE, GREEN, GREY, LAYOUT_MARGIN, ORANGE
from robustprune.ui.charts.layer_charts import short_name
from robustprune.ui.learn.surgeon import Removal, Surface

CELLS = 81
WEIGHT_NAMES = ("w1", "w2")
STYLES = ((GREY, "circle", "dot"), (ORANGE, "diamond", "dash"), (BLUE, "square", "solid"), (GREEN, "triangle-up", "dashdot"))


def anatomy(layers: Sequence[LayerReport], words: dict[str, str]) -> go.Figure:
    """Draws every linear layer of a model as a cell with its number of weights. The first block to run is at the bottom.

    Args:
        words: the texts for ``block`` and ``weights``.
    """
    places = [short_name(layer.name) for layer in layers]
    names, blocks = list(dict.fromkeys(name for name, _ in places)), sorted({block for _, block in places})
    count = {place: layer.shape[0] * layer.shape[1] for place, layer in zip(places, layers, strict=True)}
    values = [[count.get((name, block), 0) for name in names] for block in blocks]
    labels = [f"{words['block']} {block}" for block in blocks]
    figure = go.Figure(go.Heatmap(
        z=values, x=names, y=labels, colorscale="Blues", showscale=False, zmin=0, xgap=4, ygap=4, texttemplate="%{z:,}", textfont={"size": 13},
        hovertemplate="%{y}, %{x}: %{z:,} " + words["weights"] + "<extra></extra>",
    ))  # fmt: skip
    figure.update_layout(height=90 + 44 * len(blocks), margin=LAYOUT_MARGIN)
    return figure.update_xaxes(side="top")


def surface(shown: Surface, words: dict[str, str]) -> go.Figure:
    """Draws the loss over two weights from above, and where removing each weight leads: without and with compensation.

    Args:
        words: the texts for ``loss``, ``optimum``, ``zeroed``, ``compensated``.
    """
    drops = {(weight, made_up): shown.drop(weight, made_up) for weight in (0, 1) for made_up in (False, True)}
    reach = 1.25 * max(1.0, *(abs(value) for drop in drops.values() for value in drop.weights), *map(abs, shown.optimum))
    line = np.linspace(-reach, reach, CELLS)
    loss = shown.losses(np.stack(np.meshgrid(line, line), -1))
    figure = go.Figure(go.Contour(
        # The square root of the loss, so that the rings are evenly spaced and the floor of the valley is visible.
        z=np.sqrt(loss), x=line, y=line, customdata=loss, colorscale="Blues", reversescale=True, showscale=False, ncontours=18, line={"width": 0.6},
        hovertemplate="w1 %{x:.2f}, w2 %{y:.2f}<br>" + words["loss"] + " %{customdata:.3f}<extra></extra>",
    ))  # fmt: skip
    figure.add_vline(x=0, line={"color": ORANGE, "width": 2.5})
    figure.add_hline(y=0, line={"color": GREEN, "width": 2.5})
    for weight, colour in ((0, ORANGE), (1, GREEN)):
        for made_up, symbol, key in ((False, "x", "zeroed"), (True, "diamond", "compensated")):
            drop = drops[weight, made_up]
            figure.add_scatter(
                x=[shown.optimum[0], drop.weights[0]], y=[shown.optimum[1], drop.weights[1]], name=words[key].format(name=WEIGHT_NAMES[weight]),
                mode="lines+markers", line={"color": colour, "dash": "solid" if made_up else "dot", "width": 2},
                marker={"symbol": ["circle", symbol], "size": [1, 14], "color": colour, "line": {"color": "white", "width": 1}},
                customdata=[0.0, drop.true], hovertemplate="w1 %{x:.2f}, w2 %{y:.2f}<br>" + words["loss"] + " %{customdata:.3f}<extra></extra>",
            )  # fmt: skip
    star = {"symbol": "star", "size": 18, "color": "white", "line": {"color": "#1C2430", "width": 1.5}}
    figure.add_scatter(x=[shown.optimum[0]], y=[shown.optimum[1]], name=words["optimum"], mode="markers", marker=star, hoverinfo="skip")
    figure.update_layout(
        height=500, margin=LAYOUT_MARGIN, xaxis_title="w1", yaxis_title="w2", legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}
    )
    figure.update_xaxes(range=[-reach, reach], constrain="domain")
    return figure.update_yaxes(range=[-reach, reach], scaleanchor="x", constrain="domain")


def six_weights(first: Removal, now: Removal, words: dict[str, str]) -> go.Figure:
    """Draws six weights now and before, each with the cost of removing it next. The cheapest is marked.

    Args:
        words: the texts for ``before``, ``now``, ``next``, ``weight``, ``cost``.
    """
    names = [f"w{place}" for place in range(1, len(first.weights) + 1)]
    costs = ["" if cost is None else f"{words['cost']} {cost:.3f}" for cost in now.costs]
    figure = go.Figure()
    figure.add_bar(
        x=names, y=first.weights, name=words["before"], marker={"color": "rgba(0,0,0,0)", "line": {"color": GREY, "width": 1.5}}, hovertemplate="%{y:.3f}"
    )
    figure.add_bar(
        x=names, y=now.weights, name=words["now"], marker={"color": BLUE}, text=costs, textposition="outside", cliponaxis=False, hovertemplate="%{y:.3f}"
    )
    left = [place for place, cost in enumerate(now.costs) if cost is not None]
    if left:
        cheapest = min(left, key=lambda place: now.costs[place])
        down = now.weights[cheapest] < 0
        end = (min if down else max)(first.weights[cheapest], now.weights[cheapest]) + (-0.45 if down else 0.45)
        mark = {"symbol": "triangle-up" if down else "triangle-down", "size": 15, "color": ORANGE}
        figure.add_scatter(x=[names[cheapest]], y=[end], name=words["next"], mode="markers", marker=mark, hoverinfo="skip")
    reach = 1.3 * max(abs(value) for value in (*first.weights, *now.weights)) + 0.3
    figure.update_layout(barmode="overlay", height=360, margin=LAYOUT_MARGIN, legend={"orientation": "h", "y": 1.12, "x": 0}, yaxis_title=words["weight"])
    return figure.update_yaxes(range=[-reach, reach])


def losses(removals: Sequence[Removal], now: int, words: dict[str, str]) -> go.Figure:
    """Draws the loss after each removal: predicted and true for the surgeon, and true for removing the smallest weights first.

    Args:
        now: the number of removals to mark.
        words: the texts for ``true``, ``predicted``, ``magnitude``, ``by_size_made_up``, ``removed``, ``loss``.
    """
    figure, x = go.Figure(), list(range(len(removals)))
    for key, (colour, symbol, dash) in zip(("magnitude", "predicted", "true", "by_size_made_up"), STYLES, strict=True):
        figure.add_scatter(
            x=x, y=[getattr(removal, key) for removal in removals], name=words[key], mode="lines+markers", line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol + ("-open" if key == "predicted" else ""), "size": 12 if key == "predicted" else 7}, hovertemplate="%{x}: %{y:.4f}",
        )  # fmt: skip
    figure.add_vline(x=now, line={"width": 1, "color": GREY, "dash": "dot"})
    # Losses begin at zero and rise to the right, so the upper left is free for the legend.
    legend = {"x": 0.02, "y": 0.98, "bgcolor": "rgba(0,0,0,0)"}
    figure.update_layout(height=360, margin=LAYOUT_MARGIN, legend=legend, xaxis_title=words["removed"], yaxis_title=words["loss"])
    return figure.update_yaxes(rangemode="tozero")


def piling(lines: dict[str, Sequence[LayerReport]], words: dict[str, str]) -> go.Figure:
    """Draws the error of every layer against depth, one line per way to prune.

    Args:
        words: the texts for ``block``, ``error``.
    """
    figure = go.Figure()
    for (name, layers), (colour, symbol, dash) in zip(lines.items(), STYLES, strict=False):
        places = [short_name(layer.name) for layer in layers]
        figure.add_scatter(
            x=[[f"{words['block']} {block}" for _, block in places], [layer for layer, _ in places]], y=[layer.total for layer in layers], name=name,
            mode="lines+markers", line={"color": colour, "dash": dash, "width": 2}, marker={"symbol": symbol, "size": 7},
            hovertemplate="%{x}: %{y:.4f}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_layout(height=400, margin=LAYOUT_MARGIN, legend={"orientation": "h", "y": 1.12, "x": 0}, yaxis_title=words["error"])
    return figure.update_yaxes(rangemode="tozero")
