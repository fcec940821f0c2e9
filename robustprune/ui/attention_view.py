"""The views of the attention page: maps side by side, original against adversarial sentence, and BertViz's line drawings.

Every view takes a dictionary from the name that is shown above a model to the attention maps of that model. The dense model comes first.
"""

import plotly.graph_objects as go
import streamlit as st

from robustprune.analysis.attention import AttentionMaps, mean_distance
from robustprune.ui import exports, links
from robustprune.ui.charts import attention_charts, bertviz
from robustprune.ui.words.i18n import t

MEAN = "mean"
MAP_WIDTH = 295


def _controls(shape: AttentionMaps) -> tuple[int, int | None, bool]:
    """Draws the controls. Returns block and head, from 0 (head None: the mean of all heads), and whether special tokens are hidden."""
    blocks = [str(number + 1) for number in range(shape.blocks)]
    heads = [MEAN, *(str(number + 1) for number in range(shape.heads))]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        links.choice("block", blocks, blocks[-1])
        block = st.segmented_control(t("attention.block"), blocks, key="block", required=True)
        links.choice("head", heads, MEAN)
        head = st.selectbox(t("attention.head"), heads, key="head", width=160, help=t("attention.head_help"))
        hide = st.toggle(t("attention.hide"), value=True, key="hide", bind="query-params", help=t("attention.hide_help"))
    return int(block) - 1, None if head == MEAN else int(head) - 1, hide


def _clicked() -> None:
    """Selects the block and the head that the user clicked in the grid."""
    points = st.session_state["grid"].selection.points
    if points:
        st.session_state["block"], st.session_state["head"] = str(points[0]["y"]), str(points[0]["x"])


def _in_a_row(figures: dict[str, go.Figure]) -> None:
    """Draws the maps next to each other. Maps that do not fit move to the next line."""
    with st.container(horizontal=True):
        for name, figure in figures.items():
            with st.container(width=MAP_WIDTH):
                st.markdown(f"**{name}**")
                exports.chart(figure, alt=t("attention.alt", name=name), key=f"map-{name}")


def side_by_side(found: dict[str, AttentionMaps]) -> None:
    """Draws every model's map, and the difference between the first two models."""
    dense, sparse = list(found.values())[:2]
    block, head, hide = _controls(dense)
    figures = dict(zip(found, attention_charts.token_maps(list(found.values()), block, head, hide), strict=True))
    figures[t("attention.difference")] = attention_charts.token_difference(dense, sparse, block, head, hide)
    _in_a_row(figures)
    grid = _show_grid(found, block, head)
    exports.offer("attention", {**figures, t("attention.grid"): grid})


def _show_grid(found: dict[str, AttentionMaps], block: int, head: int | None) -> go.Figure:
    """Shows how far each model's attention is from the dense model's.

    Every model gets a sentence. The first sparse model also gets a heat map over blocks and heads, which the function returns.
    """
    (_, dense), (name, sparse), *others = found.items()
    distances = mean_distance(dense, sparse)
    worst = divmod(int(distances.argmax()), dense.heads)
    st.markdown(t("attention.finding", mean=f"{distances.mean():.1%}", block=worst[0] + 1, head=worst[1] + 1, most=f"{distances.max():.1%}"))
    for other, maps in others:
        st.markdown(t("attention.finding_third", name=other, mean=f"{mean_distance(dense, maps).mean():.1%}", run=name, ours=f"{distances.mean():.1%}"))
    st.subheader(t("attention.grid"))
    names = {key: t(f"attention.{key}") for key in ("block", "head")}
    figure = attention_charts.head_distances(distances, names, (block, head))
    exports.chart(figure, alt=t("attention.grid_alt"), key="grid", on_select=_clicked, selection_mode="points")
    st.caption(t("attention.grid_note"))
    return figure


def twins(pairs: dict[str, tuple[AttentionMaps, AttentionMaps]]) -> None:
    """Draws the original and the adversarial sentence in two rows and the models in columns, all on one colour scale."""
    block, head, hide = _controls(next(iter(pairs.values()))[0])
    names = [f"{name}, {t(f'attention.{which}_row').lower()}" for name in pairs for which in ("original", "adversarial")]
    maps = attention_charts.token_maps([maps for pair in pairs.values() for maps in pair], block, head, hide)
    figures = list(zip(names, maps, strict=True))
    for row in range(2):
        _in_a_row(dict(figures[row::2]))
    exports.offer("attention", dict(figures))
    moved = {name: _moved(first, second) for name, (first, second) in pairs.items()}
    known = {name: value for name, value in moved.items() if value is not None}
    if len(known) == len(moved):
        st.markdown(t("attention.twins_finding", list=", ".join(f"{name} {value:.1%}" for name, value in known.items())))


def _moved(first: AttentionMaps, second: AttentionMaps) -> float | None:
    """The mean distance between the attention on two sentences; None if the sentences differ in their number of tokens."""
    return float(mean_distance(first, second).mean()) if len(first.tokens) == len(second.tokens) else None


def lines(found: dict[str, AttentionMaps]) -> None:
    """Draws BertViz's head view of every model, for one block."""
    first = next(iter(found.values()))
    blocks = [str(number + 1) for number in range(first.blocks)]
    links.choice("block", blocks, blocks[-1])
    block = st.segmented_control(t("attention.block"), blocks, key="block", required=True)
    st.caption(t("attention.lines_note"))
    for column, (name, maps) in zip(st.columns(len(found)), found.items(), strict=True):
        with column:
            st.markdown(f"**{name}**")
            _iframe(bertviz.head_view(maps, int(block) - 1, dark=_is_dark()), bertviz.head_view_height(maps), name)


def grid_of_lines(found: dict[str, AttentionMaps]) -> None:
    """Draws BertViz's model view of one model."""
    names = {str(number): name for number, name in enumerate(found, 1)}
    links.choice("lines_of", list(names), "1")
    name = names[st.segmented_control(t("attention.model"), list(names), key="lines_of", required=True, format_func=names.__getitem__)]
    maps = found[name]
    if len(maps.tokens) > bertviz.MOST_MODEL_TOKENS:
        st.warning(t("attention.too_long", tokens=len(maps.tokens), most=bertviz.MOST_MODEL_TOKENS), icon=":material/warning:")
        return
    st.caption(t("attention.grid_of_lines_note"))
    _iframe(bertviz.model_view(maps, dark=_is_dark()), bertviz.model_view_height(maps), name)


def _iframe(page: str, height: int, name: str) -> None:
    """Embeds a page of BertViz, and offers it as a download."""
    st.iframe(page, height=height, alt=t("attention.lines_alt", name=name))
    st.download_button(t("attention.take_lines"), page, "attention.html", "text/html", key=f"lines-{name}", on_click="ignore", icon=":material/download:")


def _is_dark() -> bool:
    """True if the browser shows the dark theme."""
    return st.context.theme.type == "dark"
