"""How is the robust dense model made? Its ingredients, the greedy choice among them step by step, and the line between two of them."""

from functools import partial

import streamlit as st

from robustprune import lab
from robustprune.base.errors import ModelError
from robustprune.base.hashing import digest
from robustprune.lab.curves import ATTACKED, Curve
from robustprune.lab.soups import SoupRun
from robustprune.ui import links
from robustprune.ui.dense import curve_view, soup_view
from robustprune.ui.frame import shell
from robustprune.ui.jobs import panel
from robustprune.ui.jobs.queue import Job
from robustprune.ui.words.i18n import meaning, t

shell.require_entrypoint()

st.title(t("dense.title"), help=meaning("soup"))
st.markdown(t("dense.question"))


def start_of(soup: SoupRun) -> str | None:
    """The name of the sidebar's model that is this soup; None if there is none, or if the soup's ingredients are missing."""
    try:
        averaged = lab.find_model(soup.model).digest
    except ModelError:
        return None
    return next((name for name in lab.built_in_models() if lab.find_model(name).digest == averaged), None)


def curve(soup: SoupRun) -> None:
    """Shows the line between two ingredients: from the store, or measured when the user asks for it."""
    if len(soup.steps) < 2:
        return
    st.subheader(t("dense.curve_title"))
    st.markdown(t("dense.curve_question"))
    names = [step.name for step in soup.steps]
    left, right = st.columns(2)
    start, end = _known_ends(names)
    first = left.selectbox(t("dense.from"), names, index=names.index(start), key="curve_from", bind="query-params")
    others = [name for name in names if name != first]
    second = right.selectbox(t("dense.to"), others, index=others.index(end) if end in others else 0, key="curve_to", bind="query-params")
    found = _found(first, second)
    if found:
        curve_view.show(found)
    key = digest("curve-job", first, second)
    if found is None or not found.attacked:
        for attacked, text in ((0, "dense.measure"), (ATTACKED, "dense.measure_attack")):
            if found is None or attacked:
                job = f"{key}-{attacked}"
                panel.start_button(t(text, texts=attacked), job, partial(measure, first, second, attacked))
                panel.show(job)


def _known_ends(names: list[str]) -> tuple[str, str]:
    """The first two ingredients whose line is already stored; if there are none, the first two ingredients."""
    known = ((first, second) for first in names for second in names if first != second and _found(first, second))
    return next(known, (names[0], names[1]))


def _found(first: str, second: str) -> Curve | None:
    """The stored curve, with attacks if they were made; None if there is none or an ingredient is missing (measuring then says so)."""
    try:
        demo = lab.usual_dataset(first)
        with_attacks = lab.find_averaging_curve(first, second, demo, attacked=ATTACKED)
        return with_attacks or lab.find_averaging_curve(first, second, demo)
    except ModelError:
        return None


def measure(first: str, second: str, attacked: int, job: Job) -> None:
    """Measures the line; the lab stores it."""
    lab.averaging_curve(first, second, lab.usual_dataset(first), attacked=attacked, progress=job.progress, cancel=job.cancel)


soups = [soup for soup in lab.all_soups() if soup.dataset in shell.datasets_of_model()]
if not soups:
    st.info(t("dense.none"), icon=":material/blender:")
    dataset = lab.usual_dataset(shell.model()) or "FILE"
    st.code(f"python -m robustprune soup --dataset {dataset} --ingredient FOLDER --ingredient FOLDER", language="sh")
    st.stop()
by_digest = {soup.digest: soup for soup in soups}
links.choice("soup", list(by_digest), soups[0].digest)
if len(soups) > 1:
    st.selectbox(t("dense.soup_of"), list(by_digest), key="soup", format_func=lambda digest: soup_view.name_of(by_digest[digest]))
soup = by_digest[st.session_state["soup"]]
if start := start_of(soup):
    st.page_link(shell.page("prune"), label=t("dense.prune_this", name=start), icon=":material/content_cut:", query_params={"model": start})
soup_view.show(soup)
curve(soup)
