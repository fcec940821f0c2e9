"""Runs of one model side by side: over sparsity, over calibration texts, and as a table. All numbers come from the table of all results."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from robustprune import lab, studies
from robustprune.base.hashing import digest
from robustprune.lab.runs import PruneRun
from robustprune.specs.attack import AttackSpec
from robustprune.studies import lines, seed_groups
from robustprune.studies.figures import curves
from robustprune.studies.seed_groups import Group
from robustprune.ui import exports, links
from robustprune.ui.frame import shell
from robustprune.ui.jobs import panel
from robustprune.ui.jobs.queue import Job
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import t

if TYPE_CHECKING:
    from robustprune.studies.lines import Namer

USUAL_RECIPE = AttackSpec().recipe
RATES = {"aua": "overview.aua", "asr": "compare.asr"}


def over_sparsity() -> None:
    """Draws accuracy and accuracy under attack against sparsity, one line per method (Li et al. 2023, Fig. 4)."""
    st.markdown(t("compare.sparsity_question"))
    rows = _rows()
    runs = seed_groups.pruned_runs(rows)
    if not runs:
        st.info(t("empty.no_run"), icon=":material/content_cut:")
        return
    sizes = [one.settings["calibration"] for one in runs for _ in one.rows["seed"]]
    names = [str(size) for size in sorted(set(sizes))]
    links.choice("texts", names, str(max(sizes, key=sizes.count)))  # the size with the most runs
    with st.container(horizontal=True):
        if len(names) > 1:
            st.segmented_control(t("prune.calibration"), names, key="texts", required=True, help=t("compare.calibration_help"))
        recipe = _choose_recipe(rows)
    chosen = int(st.session_state["texts"])
    of_size = rows[rows["calibration"].isna() | (rows["calibration"] == chosen)]
    _pair_of_curves(of_size, seed_groups.pruned_runs(of_size), "sparsity", _method, t("compare.sparsity"), recipe)


def over_calibration() -> None:
    """Draws accuracy and accuracy under attack against the number of calibration texts, one line per method and sparsity (Fig. 3)."""
    st.markdown(t("compare.calibration_question"))
    rows = _rows()
    several = lines.families(seed_groups.pruned_runs(rows), "calibration")
    if not several:
        st.info(t("compare.no_calibration"), icon=":material/show_chart:")
        return
    recipe = _choose_recipe(rows)
    kept = {digest for one in several for digest in one.rows["digest"]}
    _pair_of_curves(rows[rows["digest"].isin(kept) | (rows["kind"] == "dense")], several, "calibration", _kind, t("prune.calibration"), recipe)


def table() -> None:
    """Shows all runs with their scores, and offers to attack the runs that were not attacked yet."""
    mine = _of_model(studies.results())
    mine = mine[mine["kind"] == "pruned"]
    if mine.empty:
        st.info(t("empty.no_run"), icon=":material/content_cut:")
        return
    rows = pd.DataFrame([_row(row) for row in mine.to_dict("records")])
    st.markdown(t("compare.runs_question"))
    chosen = st.dataframe(rows, hide_index=True, key="runs_table", on_select="rerun", selection_mode="multi-row")
    stored = {run.digest: run for run in shell.runs_of(shell.model())}
    marked = list(dict.fromkeys(mine["digest"].iloc[row] for row in chosen.selection.rows))
    picked = [stored[digest] for digest in marked if digest in stored][: shell.MOST_RUNS]
    with st.container(horizontal=True):
        st.button(t("compare.show_chosen"), icon=":material/check:", disabled=not picked, on_click=_choose, args=(picked,), help=t("compare.show_chosen_help"))
        exports.offer("runs", {}, {t("compare.view_runs"): rows, t("compare.all_results"): mine})
    if len(marked) > len(picked):
        st.caption(t("compare.not_stored"))
    _attack_open(list(stored.values()), mine)


def _attack_open(runs: Sequence[PruneRun], rows: pd.DataFrame) -> None:
    """Offers to attack the dense model and the stored runs, as far as they have no attack with default settings yet."""
    dense, dataset, usual = shell.model(), shell.scored_on(), AttackSpec()
    known = rows[(rows["recipe"] == usual.recipe) & (rows["query_budget"] == usual.query_budget) & (rows["attack_seed"] == usual.seed)]
    known = known[(known["attacked_dataset"] == dataset) & (known["examples"] <= lab.ATTACK_EXAMPLES)]
    names = [] if lab.find_scores(dense, dataset=dataset) else [dense]
    names += [run.ref for run in runs if run.digest not in set(known["digest"])]
    if dataset and names:
        key = digest("attack-runs", names, dataset)
        label = t("compare.attack_open", count=len(names), texts=lab.ATTACK_EXAMPLES, dataset=wording.plain(Path(dataset).name))
        panel.start_button(label, key, lambda job: _attack(names, dataset, job), help=t("compare.attack_open_help"))
        panel.show(key)


def _of_model(results: pd.DataFrame) -> pd.DataFrame:
    return results[results["start"] == shell.model()]


def _rows() -> pd.DataFrame:
    """The results of the chosen model: its dense rows, and its runs that were made on demo texts or on the data set of the comparison."""
    mine, on = _of_model(studies.results()), shell.scored_on()
    return mine[(mine["kind"] == "dense") | mine["dataset"].isin([*lab.DEMO_DATASETS, on])]


def _attack(names: Sequence[str], dataset: str, job: Job) -> None:
    """Attacks one model after the other, so that the results of finished models are kept if the job stops."""
    for name in names:
        lab.attack_texts([name], dataset, lab.ATTACK_EXAMPLES, AttackSpec(), job.progress, job.cancel)


def _choose(runs: Sequence[PruneRun]) -> None:
    st.session_state["runs"] = [run.digest for run in runs]


def _choose_recipe(rows: pd.DataFrame) -> str:
    """The attack recipe whose results are drawn. If there are several, draws a control to choose one."""
    names = sorted(rows["recipe"].dropna().unique(), key=lambda name: name != USUAL_RECIPE) or [USUAL_RECIPE]
    links.choice("recipe_shown", names, names[0])
    if len(names) > 1:
        st.segmented_control(t("attack.recipe"), names, key="recipe_shown", required=True)
    return st.session_state["recipe_shown"]


def _method(settings: dict[str, Any]) -> str:
    return f"{settings['method']}, {t('adaptive.' + settings['adaptive'])}"


def _kind(settings: dict[str, Any]) -> str:
    return f"{wording.percent(settings['sparsity'])} {_method(settings)}"


def _pair_of_curves(rows: pd.DataFrame, runs: Sequence[Group], place: str, name: "Namer", axis: str, recipe: str) -> None:
    """Draws accuracy on the left and accuracy under attack on the right, with the dense model as a dashed line."""
    attacked = seed_groups.groups(lines.of_one_sample(rows[rows["attacked_dataset"] == shell.scored_on()], recipe))
    dense = next((one for one in attacked if one.settings["kind"] == "dense"), None)
    pruned = [one for one in attacked if one.settings["kind"] == "pruned"]
    accuracy = lines.lines(runs, place, Group.accuracy, name)
    under_attack = lines.lines(pruned, place, lambda one: one.rate("aua"), name)
    of_dense = [(rate().value if dense else None) for rate in (lambda: dense.accuracy(), lambda: dense.rate("aua"))]
    figures = {}
    for column, drawn, value, key in zip(st.columns(2), (accuracy, under_attack), of_dense, ("overview.accuracy", "overview.aua"), strict=True):
        if drawn:
            reference = (t("run.dense"), value) if value is not None else None
            figure = figures[t(key)] = curves(drawn, reference, axis, t(key), percent=place == "sparsity")
            chart = f"curves-{key}-{place}"
            with column:
                exports.chart(figure, alt=t("compare.curves_alt", title=t(key)), key=chart, on_select=partial(_clicked, chart), selection_mode="points")
    seeds = max((len(one.outcomes) for one in pruned), default=1)
    examples = pruned[0].outcomes.shape[1] if pruned else 0
    on = wording.plain(Path(shell.scored_on() or "").name)
    texts = int(runs[0].rows["accuracy_examples"].min())
    st.caption(t("compare.curves_note", accuracy_texts=texts, attack_texts=examples, dataset=on, recipe=recipe, seeds=seeds))
    exports.offer("curves", figures)


def _clicked(key: str) -> None:
    points = st.session_state[key].selection.points
    if not points:
        return
    stored = any(run.digest == points[0]["customdata"] for run in shell.runs_of(shell.model()))
    if stored:
        shell.choose_run(points[0]["customdata"])
    st.toast(t("compare.opened" if stored else "compare.not_stored"))


def _row(row: dict[str, Any]) -> dict[str, str]:
    """A row of the results table in readable form."""
    asked = row["pattern"] if not pd.isna(row["pattern"]) else wording.percent(row["sparsity"])
    name = t("run.name", sparsity=asked, method=row["method"], adaptive=t(f"adaptive.{row['adaptive']}"))
    attacked = not pd.isna(row["recipe"])
    return {
        t("compare.run"): name, t("prune.calibration"): str(row["calibration"]), t("compare.seed"): str(row["seed"]),
        t("prune.exact"): f"{row['exact_sparsity']:.2%}", t("overview.accuracy"): wording.rate(row, "accuracy"),
        t("attack.recipe"): row["recipe"] if attacked else t("compare.not_attacked"),
        **{t(key): wording.rate(row, rate) if attacked and not pd.isna(row[rate]) else "" for rate, key in RATES.items()},
        t("overview.error"): f"{row['mean_error']:.3f}", t("compare.seconds"): f"{row['prune_seconds']:.0f}", t("compare.digest"): row["digest"],
    }  # fmt: skip
