"""Figures of sentence embeddings. Pure functions of plain values, as in :mod:`charts`."""

from collections.abc import Sequence
from html import escape
from itertools import cycle

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from robustprune.analysis.embeddings import Embeddings, distances, lengths, projection
from robustprune.studies.figures import HEIGHT, LAYOUT_MARGIN, STYLES


def embedding_distances(dense: Embeddings, sparse: dict[str, Embeddings], words: dict[str, str]) -> go.Figure:
    """Draws how far every sparse model's [CLS] embedding is from the dense model's after every block, for an original and an adversarial text.

    The original is the first text of the embeddings. Distances are divided by the length of the dense embedding.

    Args:
        words: the texts for ``original``, ``adversarial``, ``block``, ``distance``.
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
    figure.update_layout(
        height=HEIGHT, margin=LAYOUT_MARGIN, xaxis_title=words["block"], yaxis_title=words["distance"], legend={"orientation": "h", "y": -0.25}
    )
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(type="category")
    return figure


def embedding_map(models: dict[str, Embeddings], block: int, words: dict[str, str], texts: Sequence[str]) -> tuple[go.Figure, Float[np.ndarray, "2"]]:
    """Draws the [CLS] embeddings of an original (first) and an adversarial text on their first two principal components.

    A dotted line leads from each original to its adversarial twin: the shorter it is, the less the swaps moved that model. Returns the figure
    and the share of the variance that each component holds.

    Args:
        block: the block, from 1, after which the embeddings are taken.
        words: the texts for ``original``, ``adversarial``, ``component``.
        texts: the original and the adversarial text.
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
    figure.update_layout(height=HEIGHT, margin=LAYOUT_MARGIN, legend={"orientation": "h", "y": -0.2})
    for axis, share, number in ((figure.update_xaxes, shares[0], 1), (figure.update_yaxes, shares[1], 2)):
        axis(title=f"{words['component']} {number} ({share:.0%})", zeroline=False)
    # One unit has the same length on both axes, so that readers can compare distances.
    figure.update_yaxes(scaleanchor="x")
    return figure, shares
