"""How error piles up through the layers, and what adaptive pruning corrects: runs of the engine that differ only in their adaptive mode."""

import plotly.graph_objects as go
import streamlit as st

from robustprune import lab
from robustprune.base.hashing import digest
from robustprune.base.progress import part_of
from robustprune.lab.runs import PruneRun
from robustprune.specs.prune import ADAPTIVE, PruneSpec
from robustprune.ui import exports, links
from robustprune.ui.charts import layer_charts
from robustprune.ui.frame import shell
from robustprune.ui.jobs import panel
from robustprune.ui.jobs.queue import Job
from robustprune.ui.learn import lesson_charts
from robustprune.ui.learn.numbers import MODEL, last_block_error, repaired
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import t

SPARSITIES = {"30%": 0.3, "50%": 0.5, "70%": 0.7, "80%": 0.8}


def piling(start: dict[str, str]) -> None:
    """Draws the layer errors from the first layer to the last, one line per adaptive mode. Says what error is left in the last block."""
    runs = _chosen(start)
    if runs is None:
        return
    lines = {t(f"adaptive.{adaptive}"): run.report.layers for adaptive, run in runs.items()}
    figure = lesson_charts.piling(lines, {"block": t("layers.block"), "error": t("layers.error")})
    exports.chart(figure, alt=t("piling.alt"), key="piling")
    st.markdown(finding(runs))
    _offer(figure)


def corrected(start: dict[str, str]) -> None:
    """Draws the bars of the fully adaptive run: inherited error, own error, and the error without correction."""
    runs = _chosen(start)
    if runs is None:
        return
    layers = runs["full"].report.layers
    figure = layer_charts.layer_errors(layers, shell.error_names())
    exports.chart(figure, alt=t("layers.alt"), key="corrected")
    st.markdown(t("piling.repaired", repaired=repaired(runs["full"]), layers=len(layers)))
    _offer(figure)


def finding(runs: dict[str, PruneRun]) -> str:
    """Says what error each adaptive mode leaves in the last block, and whether accuracy under attack differs by more than chance."""
    last = {adaptive: last_block_error(run) for adaptive, run in runs.items()}
    said = t("piling.finding", none=f"{last['none']:.3f}", hessian=f"{last['hessian']:.3f}", full=f"{last['full']:.3f}")
    compared = lab.find_comparison(runs["none"].ref, runs["full"].ref)
    if compared is None:
        return said
    rates = {adaptive: f"{lab.find_scores(runs[adaptive].ref)['aua']:.1%}" for adaptive in ("none", "full")}
    chance = t("dense.beyond_chance" if compared["p"] < 0.05 else "dense.within_chance", p=wording.p_value(compared["p"]))
    return f"{said} {t('piling.aua', texts=compared['examples'], points=wording.difference(compared), chance=chance, **rates)}"


def _chosen(start: dict[str, str]) -> dict[str, PruneRun] | None:
    """The runs at the chosen sparsity, by adaptive mode. If some are missing, draws a button that makes them and returns None."""
    links.choice("piling_sparsity", list(SPARSITIES), start["piling_sparsity"])
    asked = st.segmented_control(t("prune.sparsity"), list(SPARSITIES), key="piling_sparsity", required=True)
    demo = lab.usual_dataset(MODEL)
    specs = {adaptive: PruneSpec(MODEL, demo, adaptive=adaptive, sparsity=SPARSITIES[asked], residual=False) for adaptive in ADAPTIVE}
    runs = {adaptive: lab.find_run(spec) for adaptive, spec in specs.items()}
    if all(runs.values()):
        return runs
    missing = [spec for adaptive, spec in specs.items() if runs[adaptive] is None]
    key = digest("piling-job", [spec.to_json() for spec in missing])
    panel.start_button(t("piling.start", count=len(missing), sparsity=asked), key, lambda job: _prune(missing, job), help=t("piling.start_help"))
    panel.show(key)
    return None


def _prune(specs: list[PruneSpec], job: Job) -> None:
    """Prunes with each spec in turn; the lab stores the runs."""
    for number, spec in enumerate(specs):
        lab.prune(spec, part_of(job.progress, number, len(specs)), job.cancel)


def _offer(figure: go.Figure) -> None:
    exports.offer("piling", {t("layers.chart"): figure})
