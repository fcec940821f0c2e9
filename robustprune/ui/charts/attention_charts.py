"""Figures of attention. Pure functions of plain values, as in :mod:`charts`."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from robustprune.analysis.attention import AttentionMaps
from robustprune.studies.figures import GREY, LAYOUT_MARGIN

SPECIAL = ("[CLS]", "[SEP]", "<s>", "</s>")


def token_maps(shown: Sequence[AttentionMaps], block: int, head: int | None, hide_special: bool) -> list[go.Figure]:
    """Draws attention from every token to every token: one figure per model or text, all on one colour scale that starts at 0."""
    cut = [_cut(maps, block, head, hide_special) for maps in shown]
    scale = {"colorscale": "Blues", "zmin": 0, "zmax": max(float(values.max()) for values, _ in cut)}
    return [_token_map(values, tokens, scale) for values, tokens in cut]


def token_difference(dense: AttentionMaps, sparse: AttentionMaps, block: int, head: int | None, hide_special: bool) -> go.Figure:
    """Draws sparse minus dense attention for one text, on a colour scale that is centred at 0."""
    (first, tokens), (second, _) = (_cut(maps, block, head, hide_special) for maps in (dense, sparse))
    bound = float(max(np.abs(second - first).max(), 1e-6))
    return _token_map(second - first, tokens, {"colorscale": "RdBu_r", "zmin": -bound, "zmax": bound})


def head_distances(distances: Float[np.ndarray, "blocks heads"], names: dict[str, str], chosen: tuple[int, int | None]) -> go.Figure:
    """Draws the distance between dense and sparse attention for every block and head.

    A click gives the block as ``y`` and the head as ``x``, both from 1.

    Args:
        names: the texts for ``block`` and ``head``.
        chosen: the block and head to mark, from 0. A head of None marks the whole block.
    """
    blocks, heads = distances.shape
    x, y = [str(h + 1) for h in range(heads)], [str(b + 1) for b in range(blocks)]
    figure = go.Figure(go.Heatmap(
        z=distances, x=x, y=y, colorscale="Oranges", zmin=0, zmax=max(float(distances.max()), 0.05), texttemplate="%{z:.2f}", colorbar={"thickness": 10},
        hoverinfo="skip",
    ))  # fmt: skip
    # Heat maps do not report clicks, so invisible markers over the cells report them.
    cells = [(b, h) for b in range(blocks) for h in range(heads)]
    invisible = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=[x[h] for _, h in cells], y=[y[b] for b, _ in cells], mode="markers", marker={"symbol": "square", "size": 30, "opacity": 0},
        customdata=[float(distances[cell]) for cell in cells], showlegend=False, selected=invisible, unselected=invisible,
        hovertemplate=f"{names['block']} %{{y}}, {names['head']} %{{x}}: %{{customdata:.3f}}<extra></extra>",
    )  # fmt: skip
    block, head = chosen
    left, right = (-0.5, heads - 0.5) if head is None else (head - 0.5, head + 0.5)
    figure.add_shape(type="rect", x0=left, x1=right, y0=block - 0.5, y1=block + 0.5, line={"width": 3, "color": GREY})
    figure.update_layout(
        height=80 + 36 * blocks, margin=LAYOUT_MARGIN, xaxis_title=names["head"], yaxis_title=names["block"], clickmode="event+select", dragmode=False
    )
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(type="category")
    return figure


def _cut(maps: AttentionMaps, block: int, head: int | None, hide_special: bool) -> tuple[Float[np.ndarray, "n n"], list[str]]:
    """The part of the map to draw, and its tokens, which are escaped because Plotly interprets some HTML."""
    kept = [i for i, token in enumerate(maps.tokens) if not (hide_special and token in SPECIAL)] or list(range(len(maps.tokens)))
    return maps.map(block, head)[np.ix_(kept, kept)], [escape(maps.tokens[i]) for i in kept]


def _token_map(values: Float[np.ndarray, "n n"], tokens: list[str], scale: dict[str, Any]) -> go.Figure:
    """Draws attention from every token (rows) to every token (columns)."""
    places = [f"{position} {token}" for position, token in enumerate(tokens)]  # a token may occur twice, so the position makes it unique
    bar = {"orientation": "h", "thickness": 8, "y": -0.02, "yanchor": "top", "nticks": 4, "ypad": 0}
    figure = go.Figure(go.Heatmap(z=values, x=places, y=places, colorbar=bar, hovertemplate="%{y} -> %{x}: %{z:.3f}<extra></extra>", **scale))
    figure.update_layout(height=max(300, 110 + 19 * len(tokens)), margin={"l": 5, "r": 5, "t": 5, "b": 5})
    figure.update_xaxes(tickvals=places, ticktext=tokens, tickangle=-60, side="top", tickfont={"size": 11})
    figure.update_yaxes(tickvals=places, ticktext=tokens, autorange="reversed", tickfont={"size": 11})
    return figure
