"""Does the sparse model still look where the dense one looks? (Li et al. 2023, Fig. 2)"""

import streamlit as st

from robustprune import lab
from robustprune.analysis.attention import PAPER_SENTENCE, AttentionMaps, mean_distance
from robustprune.jobs import Job
from robustprune.spec import check_text, digest
from robustprune.ui import charts, jobs, shell
from robustprune.ui.i18n import t

MEAN = "mean"
MAP_WIDTH = 295
LONGEST_SHOWN = 64

shell.require_entrypoint()

st.title(t("attention.title"))
st.markdown(t("attention.question"))
run = shell.need_run()

text = check_text(st.text_input(t("attention.text"), PAPER_SENTENCE, key="text", bind="query-params", max_chars=1000, help=t("attention.text_help")))


def both_maps(job: Job) -> None:
    """Computes both models' maps; the lab keeps them."""
    lab.attention(run.spec.model, text, job.progress, job.cancel)
    lab.attention(run.ref, text, job.progress, job.cancel)


def show(dense: AttentionMaps, sparse: AttentionMaps) -> None:
    """The three maps with their controls, and the grid over all heads."""
    blocks = [str(number + 1) for number in range(dense.blocks)]
    heads = [MEAN, *(str(number + 1) for number in range(dense.heads))]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        block = st.segmented_control(t("attention.block"), blocks, default=blocks[-1], key="block", bind="query-params", required=True)
        head = st.selectbox(
            t("attention.head"), heads, key="head", bind="query-params", width=220, format_func=lambda value: t("attention.mean") if value == MEAN else value
        )
        hide = st.toggle(t("attention.hide"), value=True, key="hide", bind="query-params", help=t("attention.hide_help"))
    chosen = None if head == MEAN else int(head) - 1
    figures = charts.attention_maps(dense, sparse, int(block) - 1, chosen, hide)
    names = (t("run.dense"), shell.run_name(run), t("attention.difference"))
    with st.container(horizontal=True):
        for name, figure in zip(names, figures, strict=True):
            with st.container(width=MAP_WIDTH):
                st.markdown(f"**{name}**")
                st.plotly_chart(figure, alt=t("attention.alt", name=name), key=f"map-{name}")
    distances = mean_distance(dense, sparse)
    worst = divmod(int(distances.argmax()), dense.heads)
    st.markdown(t("attention.finding", mean=f"{distances.mean():.1%}", block=worst[0] + 1, head=worst[1] + 1, most=f"{distances.max():.1%}"))
    st.subheader(t("attention.grid"))
    names = {"block": t("attention.block"), "head": t("attention.head"), "distance": t("attention.distance")}
    st.plotly_chart(charts.head_distances(distances, names), alt=t("attention.grid_alt"), key="grid")
    st.caption(t("attention.grid_note"))


key = digest("attention-job", run.digest, text)
dense, sparse = lab.find_attention(run.spec.model, text), lab.find_attention(run.ref, text)
words = len(text.split())
if words > LONGEST_SHOWN:
    st.warning(t("attention.too_long", tokens=words, most=LONGEST_SHOWN), icon=":material/warning:")
elif dense is None or sparse is None:
    st.info(t("attention.nothing_yet"), icon=":material/grid_on:")
    st.button(
        t("attention.start"), type="primary", icon=":material/play_arrow:", on_click=jobs.manager().submit, args=(key, both_maps), disabled=jobs.running(key)
    )
    jobs.panel(key)
elif len(dense.tokens) > LONGEST_SHOWN:
    st.warning(t("attention.too_long", tokens=len(dense.tokens), most=LONGEST_SHOWN), icon=":material/warning:")
else:
    show(dense, sparse)
