"""What is this, and what will I see? The claim, a slider over the shipped runs, one flipped sentence, and where to go next."""

import streamlit as st

from robustprune import lab
from robustprune.specs.attack import AttackSpec
from robustprune.specs.recipes import RECIPES
from robustprune.ui import exports, sparsity_lines
from robustprune.ui.attack import examples, replay
from robustprune.ui.charts import charts
from robustprune.ui.frame import shell
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import meaning, t

# The width of a chart in pixels: three charts fill a wide page, one a narrow one.
CHART_WIDTH = 300

shell.require_entrypoint()

families = sparsity_lines.families(shell.model())
best = families.get(sparsity_lines.METHODS[0], [])

st.title(t("overview.title"))
st.markdown(t("overview.claim"))

if not best:
    st.info(t("overview.no_runs"), icon=":material/info:")
    st.page_link(shell.page("prune"), label=t("empty.go_prune"))
    st.stop()

sparsities = [run.spec.sparsity for run in best]
first = shell.DEFAULT_SPARSITY if shell.DEFAULT_SPARSITY in sparsities else sparsities[0]
sparsity = st.select_slider(t("overview.slider"), sparsities, value=first, key="shown_sparsity", bind="query-params", format_func=wording.percent)
run = next(run for run in best if run.spec.sparsity == sparsity)
dense_scores, scores = lab.find_scores(run.spec.model), lab.find_scores(run.ref)

row, layout = st.container(horizontal=True), {"border": True, "height": "stretch", "width": shell.CARD_WIDTH}
against_dense = (run.sparse.accuracy - run.dense.accuracy) * 100
row.metric(t("overview.accuracy"), f"{run.sparse.accuracy:.1%}", t("overview.points", points=f"{against_dense:+.1f}"), help=meaning("accuracy"), **layout)
if scores and dense_scores:
    against_dense = (scores["aua"] - dense_scores["aua"]) * 100
    row.metric(t("overview.aua"), f"{scores['aua']:.1%}", t("overview.points", points=f"{against_dense:+.1f}"), help=meaning("aua"), **layout)
row.metric(t("overview.error"), f"{run.mean_error:.3f}", help=meaning("reconstruction_error"), **layout)
of_all = t("overview.of", weights=f"{run.report.weights:,}")
row.metric(t("overview.zeros"), f"{run.report.zeros:,}", of_all, delta_color="off", delta_arrow="off", **layout)

dense = run.dense
references = {"accuracy": sparsity_lines.dense_accuracy(run), "aua": sparsity_lines.dense_aua(run.spec.model), "error": None}
lines = {"accuracy": sparsity_lines.accuracy(families), "aua": sparsity_lines.aua(families), "error": sparsity_lines.error(families)}
figures = {
    name: charts.over_sparsity(drawn, references[name], sparsity, t(f"overview.{name}"), t("run.dense"), percent=name != "error")
    for name, drawn in lines.items()
    if drawn
}
row = st.container(horizontal=True)
for name, figure in figures.items():
    with row.container(width=CHART_WIDTH):
        exports.chart(figure, alt=t(f"overview.{name}_alt"), key=f"over-sparsity-{name}")
texts = {"accuracy_texts": dense.examples, "attack_texts": scores["examples"] if scores else 0, "dataset": wording.plain(dense.dataset)}
st.caption(t("overview.provenance", seed=run.spec.seed, day=run.made["day"], **texts))
exports.offer("over-sparsity", {t(f"overview.{name}"): figure for name, figure in figures.items()})

pairs = examples.attacked_demos(run)
demo = examples.most_telling(pairs)
if demo:
    st.subheader(t("overview.sentence_title"))
    for column, trace, name in zip(st.columns(2), pairs[demo], (t("run.dense"), shell.run_name(run)), strict=True):
        with column:
            replay.outcome_card(trace, name)
    flipped = {which: sum(pair[place].outcome == "flipped" for pair in pairs.values()) for place, which in enumerate(("dense", "sparse"))}
    st.caption(t("overview.sentence_note", recipe=RECIPES[AttackSpec().recipe].title, count=len(pairs), **flipped))
    st.page_link(shell.page("attack"), label=t("overview.replay"), icon=":material/play_circle:", query_params={"demo": str(demo), "runs": run.digest})

st.subheader(t("overview.next_title"))
row = st.container(horizontal=True)
for name in ("prune", "layers", "attention", "attack"):
    with row.container(**layout):
        st.page_link(shell.page(name), label=t(f"{name}.menu"), icon=shell.PAGES[name])
        st.caption(t(f"{name}.question"))
