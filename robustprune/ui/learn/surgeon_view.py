"""The optimal brain surgeon as interactive views: two weights on a loss surface, and six weights that are removed step by step."""

import pandas as pd
import streamlit as st

from robustprune.ui import exports, links
from robustprune.ui.learn import lesson_charts, surgeon
from robustprune.ui.learn.lesson_charts import WEIGHT_NAMES
from robustprune.ui.learn.surgeon import MAX_CORRELATION, OPTIMA, SCALES, SIX, Surface
from robustprune.ui.words.i18n import t

MAX_SEED = 99


def surface(start: dict[str, float]) -> None:
    """Draws sliders for inputs and optimum, the loss from above, and the predicted and the true cost of dropping each weight."""
    left, right = st.columns([2, 3])
    with left:
        correlation = _slider("correlation", -MAX_CORRELATION, MAX_CORRELATION, 0.02, start)
        scales = tuple(_slider(f"scale_{weight}", *SCALES, 0.1, start) for weight in (1, 2))
        optimum = tuple(_slider(f"optimum_{weight}", *OPTIMA, 0.1, start) for weight in (1, 2))
    shown = surgeon.surface(correlation, scales, optimum)
    words = {key: t(f"surgeon.{key}") for key in ("loss", "optimum", "zeroed", "compensated")}
    figure = lesson_charts.surface(shown, words)
    with right:
        exports.chart(figure, alt=t("surgeon.surface_alt"), key="surface")
    frame = drops(shown)
    st.dataframe(frame, hide_index=True)
    st.markdown(verdict(shown))
    exports.offer("surface", {t("surgeon.loss"): figure}, {t("surgeon.drop"): frame})


def drops(shown: Surface) -> pd.DataFrame:
    """The result of dropping each weight: alone, and with compensation by the other weight."""
    rows = []
    for weight in (0, 1):
        for compensated in (False, True):
            drop = shown.drop(weight, compensated)
            rows.append({
                t("surgeon.drop"): t("surgeon.compensated" if compensated else "surgeon.zeroed", name=WEIGHT_NAMES[weight]),
                "w1": f"{drop.weights[0]:.3f}", "w2": f"{drop.weights[1]:.3f}",
                t("surgeon.predicted"): f"{drop.predicted:.6f}", t("surgeon.true"): f"{drop.true:.6f}",
            })  # fmt: skip
    return pd.DataFrame(rows)


def verdict(shown: Surface) -> str:
    """Says which weight each method drops, and what that costs."""
    small, cheap = shown.smallest, shown.cheapest
    values = {
        "small": WEIGHT_NAMES[small], "cheap": WEIGHT_NAMES[cheap],
        "magnitude": f"{shown.drop(small, compensated=False).true:.3f}", "surgeon": f"{shown.drop(cheap, compensated=True).true:.3f}",
        "same": f"{shown.drop(small, compensated=True).true:.3f}",
    }  # fmt: skip
    if shown.tie:
        return t("surgeon.tie", other=f"{shown.drop(1 - small, compensated=False).true:.3f}", **values)
    return t("surgeon.misled" if small != cheap else "surgeon.agree", **values)


def six(start: dict[str, float]) -> None:
    """Draws six weights: a slider over the removals, the weights with the cost of removing each one next, and the loss so far."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=320):
            correlation = _slider("six_correlation", -MAX_CORRELATION, MAX_CORRELATION, 0.02, start)
        links.number("six_seed", 0, MAX_SEED, start["six_seed"])
        seed = st.number_input(t("surgeon.six_seed"), 0, MAX_SEED, key="six_seed", width=160)
        with st.container(width=320):
            links.number("removed", 0, SIX, start["removed"])
            removed = st.slider(t("surgeon.removed"), 0, SIX, key="removed")
    with st.spinner(t("surgeon.solving")):
        removals = surgeon.six_weights(correlation, seed)
    now = removals[removed]
    words = {key: t(f"surgeon.{key}") for key in ("before", "now", "next", "weight", "cost")}
    titles = {
        "magnitude": t("surgeon.by_magnitude"),
        "by_size_made_up": t("surgeon.by_size_made_up"),
        **{key: t(f"surgeon.{key}") for key in ("predicted", "true", "removed", "loss")},
    }
    figures = {t("surgeon.weight"): lesson_charts.six_weights(removals[0], now, words), t("surgeon.loss"): lesson_charts.losses(removals, removed, titles)}
    for column, (name, figure), key in zip(st.columns(2), figures.items(), ("six-weights", "six-losses"), strict=True):
        with column:
            exports.chart(figure, alt=f"{t('surgeon.six_alt')}: {name}", key=key)
    values = {"true": f"{now.true:.4f}", "predicted": f"{now.predicted:.4f}", "magnitude": f"{now.magnitude:.4f}"}
    if now.removed is None:
        st.markdown(t("surgeon.six_start"))
    else:
        st.markdown(t("surgeon.six_step", name=f"w{now.removed + 1}", step=removed, **values))
    exports.offer("six-weights", figures)


def _slider(key: str, low: float, high: float, step: float, start: dict[str, float]) -> float:
    """Draws a slider whose value the link holds."""
    links.number(key, low, high, start[key])
    return st.slider(t(f"surgeon.{key}"), low, high, step=step, key=key)
