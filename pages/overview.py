"""What is this, what will I see? The claim, a slider over runs that ship, one flipped sentence, where to go next."""

import streamlit as st

from robustprune import lab
from robustprune.spec import AttackSpec
from robustprune.ui import charts, replay, shell, wording
from robustprune.ui.i18n import t

SHOWCASE_METHODS = (("admm", "full"), ("sparsegpt", "hessian"), ("magnitude", "none"))

shell.require_entrypoint()

runs = lab.shipped_runs(shell.model())
families = {pair: [run for run in runs if (run.spec.method, run.spec.adaptive) == pair] for pair in SHOWCASE_METHODS}
families = {pair: found for pair, found in families.items() if found}
best = families.get(SHOWCASE_METHODS[0], [])


def family_name(pair: tuple[str, str]) -> str:
    return f"{pair[0]}, {t('adaptive.' + pair[1])}"


def accuracy_lines() -> dict:
    return {
        family_name(pair): [(run.spec.sparsity, run.sparse.accuracy, run.sparse.accuracy_low, run.sparse.accuracy_high) for run in found]
        for pair, found in families.items()
    }


def error_lines() -> dict:
    return {family_name(pair): [(run.spec.sparsity, *[run.mean_error] * 3) for run in found] for pair, found in families.items()}


def aua_lines() -> dict:
    result = {}
    for pair, found in families.items():
        scored = [(run.spec.sparsity, scores) for run in found if (scores := lab.find_scores(run.ref))]
        if scored:
            result[family_name(pair)] = [(sparsity, scores["aua"], scores["aua_low"], scores["aua_high"]) for sparsity, scores in scored]
    return result


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

row, card = st.container(horizontal=True), {"border": True, "height": "stretch", "width": shell.CARD_WIDTH}
against_dense = (run.sparse.accuracy - run.dense.accuracy) * 100
row.metric(t("overview.accuracy"), f"{run.sparse.accuracy:.1%}", t("overview.points", points=f"{against_dense:+.1f}"), **card)
if scores and dense_scores:
    against_dense = (scores["aua"] - dense_scores["aua"]) * 100
    row.metric(t("overview.aua"), f"{scores['aua']:.1%}", t("overview.points", points=f"{against_dense:+.1f}"), help=t("help.aua"), **card)
row.metric(t("overview.error"), f"{run.mean_error:.3f}", help=t("help.error"), **card)
of_all = t("overview.of", weights=f"{run.report.weights:,}")
row.metric(t("overview.zeros"), f"{run.report.zeros:,}", of_all, delta_color="off", delta_arrow="off", **card)

left, middle, right = st.columns(3)
dense = run.dense
left.plotly_chart(
    charts.over_sparsity(accuracy_lines(), (dense.accuracy, dense.accuracy_low, dense.accuracy_high), sparsity, t("overview.accuracy"), t("run.dense")),
    alt=t("overview.accuracy_alt"),
)
if lines := aua_lines():
    reference = (dense_scores["aua"], dense_scores["aua_low"], dense_scores["aua_high"]) if dense_scores else None
    middle.plotly_chart(charts.over_sparsity(lines, reference, sparsity, t("overview.aua"), t("run.dense")), alt=t("overview.aua_alt"))
right.plotly_chart(charts.over_sparsity(error_lines(), None, sparsity, t("overview.error"), ""), alt=t("overview.error_alt"))
st.caption(
    t(
        "overview.provenance",
        accuracy_texts=run.dense.examples,
        attack_texts=scores["examples"] if scores else 0,
        dataset=wording.plain(run.dense.dataset),
        seed=run.spec.seed,
        day=run.made["day"],
    )
)

st.subheader(t("overview.sentence_title"))
example = next(
    (
        pair
        for text, label in lab.showcase(run.spec.model)
        if (pair := shell.attack_pair(run, text, label, AttackSpec())) and pair[0].outcome != pair[1].outcome
    ),
    None,
)
example = example or next((pair for text, label in lab.showcase(run.spec.model) if (pair := shell.attack_pair(run, text, label, AttackSpec()))), None)
if example:
    for column, trace, name in zip(st.columns(2), example, (t("run.dense"), shell.run_name(run)), strict=True):
        with column:
            replay.outcome_card(trace, name)
    st.caption(t("overview.sentence_note", recipe=AttackSpec().recipe))

st.subheader(t("overview.next_title"))
for column, name in zip(st.columns(4), ("prune", "layers", "attention", "attack"), strict=True):
    with column.container(border=True, height="stretch"):
        st.page_link(shell.page(name), label=t(f"{name}.menu"), icon=shell.PAGES[name])
        st.caption(t(f"{name}.question"))
