"""How far sentence embeddings move: dense against sparse, original against adversarial (Li et al. 2023, Table 4 and Fig. 5)."""

import streamlit as st

from robustprune import lab
from robustprune.analysis.embeddings import PAPER_ADVERSARIAL, PAPER_ORIGINAL, Embeddings, distances, lengths
from robustprune.base.hashing import digest
from robustprune.ui import exports, links
from robustprune.ui.charts import embedding_charts
from robustprune.ui.frame import shell
from robustprune.ui.jobs import panel
from robustprune.ui.jobs.queue import Job
from robustprune.ui.limits import check_typed
from robustprune.ui.words.i18n import meaning, t


def show() -> None:
    """Asks for both sentences, and draws the distances of their embeddings block by block and a map of them."""
    st.markdown(t("embeddings.question"), help=meaning("sentence_embedding"))
    first = st.text_input(t("attention.original_row"), PAPER_ORIGINAL, key="original", bind="query-params", max_chars=1000)
    second = st.text_input(t("attention.adversarial_row"), PAPER_ADVERSARIAL, key="adversarial", bind="query-params", max_chars=1000)
    texts = [check_typed(first), check_typed(second)]
    runs = shell.chosen_runs()
    if not runs:
        st.info(t("empty.no_run"), icon=":material/content_cut:")
        return
    models = {t("run.dense"): shell.model(), **{shell.run_name(run): run.ref for run in runs}}
    found = {name: lab.find_embeddings(model, texts) for name, model in models.items()}
    if any(one is None for one in found.values()):
        key = digest("embeddings-job", list(models.values()), texts)
        panel.start_button(t("embeddings.start"), key, lambda job: _compute(models, texts, job), primary=True)
        if panel.manager().get(key) is None:
            st.info(t("embeddings.nothing_yet"), icon=":material/scatter_plot:")
        panel.show(key)
        return
    _draw(found, texts)


def _compute(models: dict[str, str], texts: list[str], job: Job) -> None:
    for model in models.values():
        lab.embeddings(model, texts, job.progress, job.cancel)


def _draw(found: dict[str, Embeddings], texts: list[str]) -> None:
    dense, sparse = found[t("run.dense")], {name: one for name, one in found.items() if name != t("run.dense")}
    words = {key: t(f"embeddings.{key}") for key in ("original", "adversarial", "distance", "component")} | {"block": t("layers.block")}
    left, right = st.columns(2)
    with left:
        st.markdown(f"**{t('embeddings.distances')}**")
        by_block = embedding_charts.embedding_distances(dense, sparse, words)
        exports.chart(by_block, alt=t("embeddings.distances_alt"), key="distances")
    blocks = [str(number) for number in range(1, dense.values.shape[1])]
    with right:
        st.markdown(f"**{t('embeddings.map')}**")
        links.choice("block", blocks, blocks[-1])
        block = st.segmented_control(t("attention.block"), blocks, key="block", required=True)
        figure, shares = embedding_charts.embedding_map(found, int(block), words, texts)
        exports.chart(figure, alt=t("embeddings.map_alt"), key="map")
    for name, one in sparse.items():
        relative = (distances(dense, one) / lengths(dense))[:, -1]
        st.markdown(t("embeddings.finding", name=name, original=f"{relative[0]:.1%}", adversarial=f"{relative[1]:.1%}"))
    st.caption(t("embeddings.note", shares=f"{shares.sum():.0%}"))
    exports.offer("embeddings", {t("embeddings.distances"): by_block, t("embeddings.map"): figure})
