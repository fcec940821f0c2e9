"""Draws charts and offers downloads: SVG (by the camera button of a chart), a standalone HTML page, Plotly's JSON, and the numbers as CSV."""

import json
from collections.abc import Callable
from functools import partial
from html import unescape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from robustprune.studies.figures import standalone
from robustprune.ui.charts.charts import MARK
from robustprune.ui.frame import shell
from robustprune.ui.words.i18n import t

# Buttons that charts do not show: the ranges of the axes are chosen on purpose, so nobody needs to zoom, pan or select.
NOT_NEEDED = ["zoom2d", "pan2d", "select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "resetScale2d"]
KINDS = {"html": "text/html", "csv": "text/csv", "json": "application/json", "jsonl": "application/jsonl"}


def chart(figure: go.Figure, *, alt: str, key: str, **more: Any) -> None:
    """Draws a figure. Its camera button saves an SVG.

    Args:
        alt: what the figure shows, for people who cannot see it.
        more: further arguments of ``st.plotly_chart``.
    """
    camera = {"format": "svg", "filename": key, "scale": 1}
    st.plotly_chart(figure, alt=alt, key=key, config={"displaylogo": False, "modeBarButtonsToRemove": NOT_NEEDED, "toImageButtonOptions": camera}, **more)


def offer(key: str, figures: dict[str, go.Figure], tables: dict[str, pd.DataFrame] | None = None, documents: dict[str, Any] | None = None) -> None:
    """Draws a download menu: figures in all formats, tables as CSV, documents as JSON (a list as JSON Lines), each under its title.

    A file is made only when the user asks for it. In teacher mode there is no menu, because a class needs no files.
    """
    if shell.teaching():
        return
    with st.popover(t("export.menu"), icon=":material/download:"):
        for number, (title, figure) in enumerate(figures.items()):
            forms = {"html": partial(page_of, figure), "csv": lambda figure=figure: _csv(numbers_of(figure)), "json": figure.to_json}
            _row(title, f"{key}-{number}", forms)
        for number, (title, table) in enumerate((tables or {}).items()):
            _row(title, f"{key}-table-{number}", {"csv": partial(_csv, table)})
        for number, (title, document) in enumerate((documents or {}).items()):
            made = {"jsonl": partial(_lines, document)} if isinstance(document, list) else {"json": partial(json.dumps, document, indent=2, ensure_ascii=False)}
            _row(title, f"{key}-document-{number}", made)
        if figures:
            st.caption(t("export.svg"))


def page_of(figure: go.Figure) -> str:
    """The figure as an HTML page that works without a network."""
    return standalone(figure).to_html(include_plotlyjs=True, config={"displaylogo": False, "toImageButtonOptions": {"format": "svg"}})


def numbers_of(figure: go.Figure) -> pd.DataFrame:
    """The numbers that a figure draws.

    One row per point: series, x, y and, if the point has an interval, its ends ``low`` and ``high``. A heat map gives one row per cell: x,
    y and value.
    """
    rows: list[dict[str, Any]] = []
    for trace in figure.data:
        if trace.type == "heatmap":
            rows += [{"x": x, "y": y, "value": trace.z[i][j]} for i, y in enumerate(trace.y) for j, x in enumerate(trace.x)]
        elif trace.showlegend is not False and trace.meta != MARK:  # a trace outside the legend only catches clicks
            rows += _points(trace)
    frame = pd.DataFrame(rows).dropna(axis="columns", how="all")
    return frame.map(lambda value: unescape(value) if isinstance(value, str) else value)  # undoes the HTML escapes that figures need for Plotly


def _points(trace: Any) -> list[dict[str, Any]]:
    x = list(trace.x)
    if x and isinstance(x[0], list | tuple | np.ndarray):  # an axis of two levels: groups and their members
        x = [" ".join(map(str, parts)) for parts in zip(*x, strict=True)]
    rows = [{"series": trace.name, "x": place, "y": value} for place, value in zip(x, trace.y, strict=True)]
    for axis in ("x", "y"):
        bars = trace[f"error_{axis}"] if trace.type == "scatter" else None
        if bars is not None and bars.array is not None:
            for row, above, below in zip(rows, bars.array, bars.arrayminus, strict=True):
                row |= {"low": row[axis] - below, "high": row[axis] + above}
    return rows


def _lines(documents: list[Any]) -> str:
    return "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False)


def _row(title: str, name: str, forms: dict[str, Callable[[], str]]) -> None:
    """Draws a title, and one download button for every file format."""
    st.markdown(title)
    with st.container(horizontal=True):
        for form, make in forms.items():
            st.download_button(form.upper(), make, f"{name}.{form}", KINDS[form], key=f"export-{name}-{form}", on_click="ignore", icon=":material/download:")
