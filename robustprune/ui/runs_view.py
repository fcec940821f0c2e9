"""Stored runs of one model side by side: over sparsity, over calibration texts, and as a table. Every point and row names its run and opens it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from robustprune import lab
from robustprune.jobs import Job
from robustprune.results import PruneRun
from robustprune.spec import AttackSpec, digest
from robustprune.ui import compare_charts, exports, jobs, shell, wording
from robustprune.ui.i18n import t


@dataclass(frozen=True)
class Scored:
    """A run, and its scores under the usual attack on the demo texts where they are known."""

    run: PruneRun
    scores: dict[str, Any] | None


def over_sparsity() -> None:
    """Accuracy and accuracy under attack against sparsity, a line a method (Li et al. 2023, Fig. 4)."""
    runs = [one for one in _scored() if one.run.spec.pattern is None and shell.is_usual(one.run, dataset=shell.scored_on())]
    st.markdown(t("compare.sparsity_question"))
    _pair_of_curves(runs, lambda run: run.spec.sparsity, _method, t("compare.sparsity"), percent=True)


def over_calibration() -> None:
    """The same against the number of calibration texts, a line a method and sparsity (Fig. 3)."""
    runs = [one for one in _scored() if one.run.spec.pattern is None and shell.is_usual(one.run, "calibration", shell.scored_on())]
    kinds = {_kind(one.run): set() for one in runs}
    for one in runs:
        kinds[_kind(one.run)].add(one.run.report.calibration)
    several = [one for one in runs if len(kinds[_kind(one.run)]) > 1]
    st.markdown(t("compare.calibration_question"))
    if not several:
        st.info(t("compare.no_calibration"), icon=":material/show_chart:")
        return
    _pair_of_curves(several, lambda run: run.report.calibration + run.report.held_out, _kind, t("prune.calibration"), percent=False)


def table() -> None:
    """All runs with their scores; those that were not attacked yet can be."""
    runs = _scored()
    if not runs:
        st.info(t("empty.no_run"), icon=":material/content_cut:")
        return
    rows = [_row(one) for one in runs]
    st.markdown(t("compare.runs_question"))
    chosen = st.dataframe(pd.DataFrame(rows), hide_index=True, key="runs_table", on_select="rerun", selection_mode="multi-row")
    picked = [runs[row].run for row in chosen.selection.rows][: shell.MOST_RUNS]
    with st.container(horizontal=True):
        st.button(t("compare.show_chosen"), icon=":material/check:", disabled=not picked, on_click=_choose, args=(picked,), help=t("compare.show_chosen_help"))
        exports.offer("runs", {}, {t("compare.view_runs"): pd.DataFrame(rows)})
    open_ones = [one.run for one in runs if one.scores is None]
    dense = shell.model()
    dataset = shell.scored_on()
    names = [] if lab.find_scores(dense, dataset=dataset) else [dense]
    names += [run.ref for run in open_ones]
    if dataset and names:
        key = digest("attack-runs", names, dataset)
        label = t("compare.attack_open", count=len(names), texts=lab.ATTACK_EXAMPLES, dataset=wording.plain(Path(dataset).name))
        jobs.start_button(label, key, lambda job: _attack(names, dataset, job), help=t("compare.attack_open_help"))
        jobs.panel(key)


def _scored() -> list[Scored]:
    dataset = shell.scored_on()
    return [Scored(run, lab.find_scores(run.ref, dataset=dataset)) for run in shell.runs_of(shell.model())]


def _attack(names: Sequence[str], dataset: str, job: Job) -> None:
    """One model after the other, so that every one that is done stays done."""
    for name in names:
        lab.attack_texts([name], dataset, lab.ATTACK_EXAMPLES, AttackSpec(), job.progress, job.cancel)


def _choose(runs: Sequence[PruneRun]) -> None:
    st.session_state["runs"] = [run.digest for run in runs]


def _method(run: PruneRun) -> str:
    return f"{run.spec.method}, {t('adaptive.' + run.spec.adaptive)}"


def _kind(run: PruneRun) -> str:
    return f"{run.spec.asked} {_method(run)}"


def _pair_of_curves(runs: Sequence[Scored], place: Callable[[PruneRun], float], kind: Callable[[PruneRun], str], axis: str, percent: bool) -> None:
    if not runs:
        st.info(t("empty.no_run"), icon=":material/content_cut:")
        return
    accuracy: dict[str, list] = {}
    under_attack: dict[str, list] = {}
    for one in sorted(runs, key=lambda one: place(one.run)):
        run, of = one.run, one.run.sparse
        accuracy.setdefault(kind(run), []).append((place(run), of.accuracy, of.accuracy_low, of.accuracy_high, run.digest))
        if one.scores:
            values = [one.scores[key] for key in ("aua", "aua_low", "aua_high")]
            under_attack.setdefault(kind(run), []).append((place(run), *values, run.digest))
    dense = lab.find_scores(shell.model(), dataset=shell.scored_on())
    references = ((t("run.dense"), runs[0].run.dense.accuracy), (t("run.dense"), dense["aua"]) if dense else None)
    titles = (t("overview.accuracy"), t("overview.aua"))
    figures = {}
    for column, lines, reference, title in zip(st.columns(2), (accuracy, under_attack), references, titles, strict=True):
        if lines:
            key = f"curves-{title}-{percent}"
            figure = compare_charts.curves(lines, reference, axis, title, percent)
            figures[title] = figure
            with column:
                exports.chart(figure, alt=t("compare.curves_alt", title=title), key=key, on_select=partial(_clicked, key), selection_mode="points")
    examples = next((one.scores["examples"] for one in runs if one.scores), 0)
    st.caption(t("compare.curves_note", accuracy_texts=runs[0].run.sparse.examples, attack_texts=examples, dataset=shell.dataset_name(runs[0].run)))
    exports.offer("curves", figures)


def _clicked(key: str) -> None:
    points = st.session_state[key].selection.points
    if points:
        shell.choose_run(points[0]["customdata"])
        st.toast(t("compare.opened"))


def _row(one: Scored) -> dict[str, str]:
    run = one.run
    row = {t("compare.run"): shell.run_name(run), t("prune.exact"): f"{run.report.sparsity:.2%}", t("overview.accuracy"): _accuracy(run)}
    for key, name in (("aua", "overview.aua"), ("asr", "compare.asr")):
        row[t(name)] = wording.rate(one.scores, key) if one.scores else t("compare.not_attacked")
    return row | {t("overview.error"): f"{run.mean_error:.3f}", t("compare.seconds"): f"{run.report.seconds:.0f}", t("compare.digest"): run.digest}


def _accuracy(run: PruneRun) -> str:
    return f"{run.sparse.accuracy:.1%} [{run.sparse.accuracy_low:.1%}, {run.sparse.accuracy_high:.1%}]"
