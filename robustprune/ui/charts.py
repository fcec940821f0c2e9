"""Figures as pure functions of plain values. The theme (colours, fonts) is Streamlit's; meaning never hangs on colour alone."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from robustprune.analysis.attention import AttentionMaps
from robustprune.pruning.report import LayerReport

BLUE, ORANGE, GREEN, GREY = "#3D6FB4", "#E07B39", "#5B9E6B", "#8A94A3"
SHORT_NAMES = {
    "attention.self.query": "Q", "attention.self.key": "K", "attention.self.value": "V", "attention.output.dense": "O",
    "intermediate.dense": "F1", "output.dense": "F2",
    "attention.q_lin": "Q", "attention.k_lin": "K", "attention.v_lin": "V", "attention.out_lin": "O", "ffn.lin1": "F1", "ffn.lin2": "F2",
}  # fmt: skip
SPECIAL = ("[CLS]", "[SEP]", "<s>", "</s>")
MARGIN = {"l": 10, "r": 10, "t": 40, "b": 10}


def short_name(layer: str) -> tuple[str, int]:
    """``block.2.attention.self.query`` as ``("Q", 3)``: what the layer is, and its block from 1."""
    _, block, name = layer.split(".", 2)
    return SHORT_NAMES.get(name, name), int(block) + 1


def layer_errors(layers: Sequence[LayerReport], names: dict[str, str]) -> go.Figure:
    """Error of every layer: inherited and own, stacked, with what it would have been uncorrected as a tick.

    Args:
        names: words for ``inherited``, ``own``, ``uncorrected``, ``error``, ``block``.
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
        )  # fmt: skip
    figure.add_scatter(
        x=x, y=[layer.uncorrected for layer in layers], name=names["uncorrected"], mode="markers",
        marker={"symbol": "line-ew", "size": 10, "line": {"width": 2.5, "color": GREY}}, hovertext=hover,
        hovertemplate="%{hovertext}<br>" + names["uncorrected"] + ": %{y:.4f}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        height=400,
        margin=MARGIN,
        legend={"orientation": "h", "y": 1.12, "x": 0, "traceorder": "normal"},
        yaxis_title=names["error"],
    )
    return figure


def over_sparsity(
    lines: dict[str, list[tuple[float, float, float, float]]], dense: tuple[float, float, float] | None, chosen: float, title: str, dense_name: str
) -> go.Figure:
    """One score against sparsity, a line a method, with intervals; the dense model as a dashed line, the chosen sparsity marked.

    Args:
        lines: for every method, (sparsity, value, low, high) by sparsity; low and high equal to the value where there is no interval.
        dense: value, low and high of the dense model.
    """
    figure = go.Figure()
    styles = ((BLUE, "circle", "solid"), (ORANGE, "diamond", "dot"), (GREEN, "square", "dashdot"))
    for (name, points), (colour, symbol, dash) in zip(lines.items(), styles, strict=False):
        x, y, low, high = (list(values) for values in zip(*points, strict=True))
        figure.add_scatter(
            x=x, y=y, name=name, mode="lines+markers", line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": [16 if abs(s - chosen) < 1e-9 else 7 for s in x]},
            error_y={"type": "data", "symmetric": False, "array": np.subtract(high, y), "arrayminus": np.subtract(y, low), "thickness": 1, "width": 3},
            hovertemplate="%{x:.1%}: %{y:.3f}<extra>" + name + "</extra>",
        )  # fmt: skip
    if dense:
        note = {"text": dense_name, "font": {"color": GREY}}
        figure.add_hline(y=dense[0], line={"dash": "dash", "width": 1.5, "color": GREY}, annotation=note, annotation_position="top left")
    figure.add_vline(x=chosen, line={"width": 1, "color": GREY, "dash": "dot"})
    figure.update_layout(title={"text": title, "font": {"size": 15}}, height=290, margin=MARGIN, legend={"orientation": "h", "y": -0.2}, showlegend=True)
    figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(rangemode="tozero")
    return figure


def attention_maps(dense: AttentionMaps, sparse: AttentionMaps, block: int, head: int | None, hide_special: bool) -> tuple[go.Figure, go.Figure, go.Figure]:
    """Dense, sparse, and sparse less dense: the first two on one scale from 0, the difference about 0."""
    kept = [i for i, token in enumerate(dense.tokens) if not (hide_special and token in SPECIAL)]
    tokens = [escape(dense.tokens[i]) for i in kept]  # Plotly reads some HTML in its texts
    first, second = (maps.map(block, head)[np.ix_(kept, kept)] for maps in (dense, sparse))
    top = float(max(first.max(), second.max()))
    bound = float(max(np.abs(second - first).max(), 1e-6))
    scale, about_zero = {"colorscale": "Blues", "zmin": 0, "zmax": top}, {"colorscale": "RdBu_r", "zmin": -bound, "zmax": bound}
    return _token_map(first, tokens, scale), _token_map(second, tokens, scale), _token_map(second - first, tokens, about_zero)


def head_distances(distances: Float[np.ndarray, "blocks heads"], names: dict[str, str]) -> go.Figure:
    """How far dense and sparse attention are apart, for every block and head. ``names``: words for ``block``, ``head``, ``distance``."""
    blocks, heads = distances.shape
    x, y = [str(h + 1) for h in range(heads)], [str(b + 1) for b in range(blocks)]
    figure = go.Figure(go.Heatmap(
        z=distances, x=x, y=y, colorscale="Oranges", zmin=0, zmax=max(float(distances.max()), 0.05), texttemplate="%{z:.2f}", colorbar={"thickness": 10},
        hovertemplate=f"{names['block']} %{{y}}, {names['head']} %{{x}}: %{{z:.3f}}<extra></extra>",
    ))  # fmt: skip
    figure.update_layout(height=80 + 36 * blocks, margin=MARGIN, xaxis_title=names["head"], yaxis_title=names["block"])
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(type="category")
    return figure


def probability_path(paths: dict[str, Sequence[float]], words: dict[str, Sequence[str]], axis: str, flip: float | None) -> go.Figure:
    """The true label's probability after every accepted swap, a line a model; ``flip``: below this the prediction changes (two classes)."""
    figure = go.Figure()
    for (name, values), colour, symbol in zip(paths.items(), (BLUE, ORANGE), ("circle", "diamond"), strict=False):
        figure.add_scatter(
            x=list(range(len(values))), y=list(values), name=name, mode="lines+markers", text=[escape(word) for word in words[name]],
            line={"color": colour, "width": 2}, marker={"symbol": symbol, "size": 9},
            hovertemplate="%{text}: %{y:.3f}<extra>" + name + "</extra>",
        )  # fmt: skip
    if flip is not None:
        figure.add_hline(y=flip, line={"dash": "dash", "width": 1.5, "color": GREY})
    figure.update_layout(height=300, margin=MARGIN, legend={"orientation": "h", "y": 1.15}, yaxis_title=axis)
    figure.update_yaxes(range=[-0.03, 1.03])
    figure.update_xaxes(dtick=1)
    return figure


def _token_map(values: Float[np.ndarray, "n n"], tokens: list[str], scale: dict[str, Any]) -> go.Figure:
    """Attention from every token (rows) to every token (columns)."""
    places = [f"{position} {token}" for position, token in enumerate(tokens)]  # a token may come twice
    bar = {"orientation": "h", "thickness": 8, "y": -0.02, "yanchor": "top", "nticks": 4, "ypad": 0}
    figure = go.Figure(go.Heatmap(z=values, x=places, y=places, colorbar=bar, hovertemplate="%{y} -> %{x}: %{z:.3f}<extra></extra>", **scale))
    figure.update_layout(height=max(300, 110 + 19 * len(tokens)), margin={"l": 5, "r": 5, "t": 5, "b": 5})
    figure.update_xaxes(tickvals=places, ticktext=tokens, tickangle=-60, side="top", tickfont={"size": 11})
    figure.update_yaxes(tickvals=places, ticktext=tokens, autorange="reversed", tickfont={"size": 11})
    return figure
