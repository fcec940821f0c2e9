"""The sidebar: language, dense model, texts, and the pruned models that the pages show. The link holds all of these choices."""

from collections import Counter

import streamlit as st

from robustprune import lab
from robustprune.base import locales
from robustprune.ui import links
from robustprune.ui.frame import shell
from robustprune.ui.words import i18n
from robustprune.ui.words.i18n import t


def show() -> None:
    """Draws the sidebar."""
    st.selectbox(t("sidebar.language"), locales.languages(), key=i18n.KEY, format_func=lambda code: locales.texts(code)["language.name"])
    _choose_model()
    _choose_start()
    _choose_dataset()
    runs = shell.runs_of(shell.model())
    if not runs:
        st.caption(t("sidebar.no_run"))
        return
    names = {run.digest: shell.run_tag(run) for run in runs}
    links.choices("runs", list(names), [runs[shell.default_run(runs)].digest], shell.MOST_RUNS)
    st.multiselect(t("sidebar.runs"), list(names), key="runs", max_selections=shell.MOST_RUNS, format_func=names.__getitem__, help=t("sidebar.runs_help"))


def _choose_model() -> None:
    shown = _told_apart({**{name: name for name in lab.built_in_models()}, **{own.name: own.shown for own in shell.own_models()}})
    links.choice("model", list(shown), shell.default_model())
    st.selectbox(t("sidebar.model"), list(shown), key="model", format_func=shown.__getitem__, help=t("sidebar.model_help"))
    if i18n.language() != locales.DEFAULT:
        st.caption(t("sidebar.reads_english"))


def _choose_start() -> None:
    """Draws the choice between the single model of a data set and its soup, if both ship."""
    starts = lab.dense_starts(shell.model())
    if len(starts) > 1:
        st.session_state["start"] = next(kind for kind, name in starts.items() if name == shell.model())
        st.segmented_control(
            t("sidebar.start"), list(starts), key="start", required=True, format_func=lambda kind: t(f"sidebar.start_{kind}"),
            on_change=_start_from, args=(starts,), help=t("sidebar.start_help"),
        )  # fmt: skip


def _start_from(starts: dict[str, str]) -> None:
    st.session_state["model"] = starts[st.session_state["start"]]


def _choose_dataset() -> None:
    names = lab.datasets_for(shell.model())
    shown = _told_apart({**{name: name for name in names}, **{own.name: own.shown for own in shell.own_datasets()}})
    if not shown:
        st.session_state.pop("dataset", None)  # it belongs to the previous model
        st.caption(t("sidebar.no_dataset"))
        return
    links.choice("dataset", list(shown), next(iter(shown)))
    st.selectbox(t("sidebar.dataset"), list(shown), key="dataset", format_func=shown.__getitem__, help=t("sidebar.dataset_help"))


def _told_apart(shown: dict[str, str]) -> dict[str, str]:
    """Returns the shown names, with a number behind each repeated name, because the browser cannot tell equal options apart."""
    seen: Counter[str] = Counter()
    result = {}
    for name, words in shown.items():
        seen[words] += 1
        result[name] = words if seen[words] == 1 else f"{words} ({seen[words]})"
    return result
