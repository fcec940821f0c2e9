"""Does the sparse model still look where the dense one looks? (Li et al. 2023, Fig. 2)"""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from robustprune import lab
from robustprune.analysis.attention import PAPER_ORIGINAL, PAPER_SENTENCE
from robustprune.base.hashing import digest
from robustprune.lab.runs import PruneRun
from robustprune.ui import attention_view, links
from robustprune.ui.attack import examples
from robustprune.ui.charts import layer_charts
from robustprune.ui.frame import shell
from robustprune.ui.jobs import panel
from robustprune.ui.jobs.queue import Job
from robustprune.ui.limits import check_typed
from robustprune.ui.words.i18n import meaning, t, t_or

VIEWS = {"maps": attention_view.side_by_side, "twins": attention_view.twins, "lines": attention_view.lines, "grid_of_lines": attention_view.grid_of_lines}
LONGEST_SHOWN = 64

shell.require_entrypoint()

st.title(t("attention.title"), help=meaning("attention"))
st.markdown(t("attention.question"))


def asked_texts(run: PruneRun, view: str) -> tuple[str, str | None]:
    """Asks for the sentence and, in the view ``twins``, for the original sentence from which it was made (else None)."""
    look = {"bind": "query-params", "max_chars": 1000}
    text = check_typed(st.text_input(t("attention.text"), PAPER_SENTENCE, key="text", on_change=forget_original, help=t("attention.text_help"), **look))
    if view != "twins":
        return text, None
    usual = PAPER_ORIGINAL if text == PAPER_SENTENCE else ""
    original = st.text_input(t("attention.original"), usual, key="twin", help=t("attention.original_help"), **look)
    attacked = found_by_attacks(run)
    if attacked:
        st.selectbox(t("attention.from_attack"), list(attacked), index=None, key="from_attack", on_change=take_attack, args=(attacked,))
    return text, check_typed(original) if original.strip() else None


def forget_original() -> None:
    """Resets the original when the user types another sentence, because the old original does not belong to the new sentence."""
    st.session_state["twin"] = PAPER_ORIGINAL if st.session_state["text"] == PAPER_SENTENCE else ""


def found_by_attacks(run: PruneRun) -> dict[str, str]:
    """The originals of sentences that flipped the sparse model, by the flipped sentences, from the stored attacks on demo texts."""
    pairs = examples.attacked_demos(run).values()
    return {sparse.perturbed: sparse.text for _, sparse in pairs if sparse.outcome == "flipped"}


def take_attack(attacked: dict[str, str]) -> None:
    """Fills in a sentence and its original from an attack."""
    chosen = st.session_state["from_attack"]
    if chosen:
        st.session_state["text"] = chosen
        st.session_state["twin"] = attacked[chosen]


def models_of(run: PruneRun) -> dict[str, str]:
    """The models by the names above their maps: dense, sparse and, if switched on, the retrained baseline of the paper's figure."""
    names = {t("run.dense"): run.spec.model, shell.run_name(run): run.ref}
    baselines = lab.shipped_baselines(lab.find_model(run.spec.model).dataset)
    for name, kind in list(baselines.items())[:1]:
        shown = t_or(f"compare.row.{kind}", kind)
        if st.toggle(t("attention.third", name=shown), value=True, key="third", bind="query-params", help=t("attention.third_help")):
            names[shown] = name
    return names


def figure_2(block: int) -> None:
    """Sets the page to the paper's Figure 2 for a block (from 1): the paper's sentence, three models, the mean of all heads."""
    for key, value in {"view": "maps", "block": str(block), "head": attention_view.MEAN}.items():
        links.choose(key, value)
    st.session_state.update(text=PAPER_SENTENCE, twin=PAPER_ORIGINAL, hide=True, third=True)


def compute(models: Sequence[str], texts: Sequence[str], job: Job) -> None:
    """Computes the maps of all models for all texts; the lab stores them."""
    for model in models:
        for text in texts:
            lab.attention(model, text, job.progress, job.cancel)


run = shell.need_run()
links.choice("view", list(VIEWS), "maps")
view = st.segmented_control(t("attention.view"), list(VIEWS), key="view", required=True, format_func=lambda name: t(f"attention.view_{name}"))
last = layer_charts.short_name(run.report.layers[-1].name)[1]
with st.container(horizontal=True):
    for block, label in ((1, "attention.figure_2_first"), (last, "attention.figure_2_last")):
        st.button(t(label), on_click=figure_2, args=(block,), type="tertiary", icon=":material/auto_stories:", help=t("attention.figure_2_help"))
text, original = asked_texts(run, view)
models = models_of(run)
texts = [original, text] if original else [text]
too_long = max(len(one.split()) for one in texts)
found = {name: tuple(lab.find_attention(model, one) for one in texts) for name, model in models.items()}
known = all(maps is not None for pair in found.values() for maps in pair)
key = digest("attention-job", list(models.values()), texts)
if view == "twins" and original is None:
    st.info(t("attention.no_original"), icon=":material/compare:")
elif too_long > LONGEST_SHOWN:
    st.warning(t("attention.too_long", tokens=too_long, most=LONGEST_SHOWN), icon=":material/warning:")
elif not known:
    if panel.manager().get(key) is None:
        st.info(t("attention.nothing_yet"), icon=":material/grid_on:")
    panel.start_button(t("attention.start"), key, partial(compute, list(models.values()), texts), primary=True)
    panel.show(key)
elif (tokens := max(len(maps.tokens) for pair in found.values() for maps in pair)) > LONGEST_SHOWN:
    st.warning(t("attention.too_long", tokens=tokens, most=LONGEST_SHOWN), icon=":material/warning:")
else:
    VIEWS[view](found if view == "twins" else {name: pair[-1] for name, pair in found.items()})
