"""How is the robust dense model made? Its ingredients, the greedy choice among them step by step, and the line between two of them."""

import json

import pandas as pd
import streamlit as st

from robustprune import lab
from robustprune.curves import Curve
from robustprune.errors import ModelError
from robustprune.jobs import Job
from robustprune.soups import SoupRun
from robustprune.spec import AttackSpec, digest
from robustprune.training.soup import Step
from robustprune.ui import dense_charts, jobs, shell
from robustprune.ui.i18n import t

CURVE_ATTACKED = 60

shell.require_entrypoint()

st.title(t("dense.title"))
st.markdown(t("dense.question"))


def settings_of(name: str) -> str:
    """How an ingredient was trained, in a few words; nothing where no card says."""
    try:
        settings = lab.model_card(name)["settings"]
    except (ModelError, KeyError):
        return ""
    freelb = settings["freelb"]
    adversary = t("dense.freelb", steps=freelb["steps"], size=f"{freelb['step_size']:g}") if freelb["steps"] else t("dense.plain")
    rows = lab.model_card(name)["training"]["rows"]
    return t(
        "dense.settings", adversary=adversary, optimiser=settings["optimiser"], rate=f"{settings['learning_rate']:g}",
        epochs=settings["epochs"], rows=f"{rows:,}", seed=settings["seed"],
    )  # fmt: skip


def ingredients(soup: SoupRun) -> pd.DataFrame:
    """Every ingredient with its scores on texts that nothing was chosen by, and how it was trained; the soup last."""
    rows = [_row(soup, step.name, step.name, t("dense.kept" if step.kept else "dense.refused"), settings_of(step.name)) for step in soup.steps]
    return pd.DataFrame([*rows, _row(soup, soup.model, t("dense.soup"), "", t("dense.mean_of", count=len(soup.kept)))])


def _row(soup: SoupRun, name: str, shown: str, turn: str, training: str) -> dict[str, str]:
    scores, accuracy = soup.reported[name], soup.accuracies[name]
    return {
        t("dense.ingredient"): shown,
        t("dense.turn"): turn,
        t("compare.accuracy_all", examples=f"{accuracy['examples']:,}"): shell.rate(accuracy, "accuracy"),
        t("overview.aua"): shell.rate(scores, "aua"),
        t("dense.difference"): shell.difference(soup.comparisons[name]) if turn else "",
        t("dense.p"): shell.p_value(soup.comparisons[name]["p"]) if turn else "",
        t("dense.training"): training,
    }


def why(step: Step) -> str:
    """One decision in a sentence, with its own numbers."""
    numbers = {"name": shell.plain(step.name), "alone": f"{step.alone.aua:.1%}", "together": f"{step.together.aua:.1%}"}
    if step.before is None:
        return t("dense.why_first", **numbers)
    return t("dense.why_kept" if step.kept else "dense.why_refused", before=f"{step.before.aua:.1%}", **numbers)


def finding(soup: SoupRun) -> str:
    """What the soup came to, against the best and against the plainest ingredient, and whether that is more than chance."""
    plain = [name for name in soup.comparisons if not _is_adversarial(name)]
    best = max(soup.comparisons, key=lambda name: soup.reported[name]["aua"])
    sentences = []
    for key, name in (("dense.against_plain", max(plain, key=lambda name: soup.reported[name]["aua"], default=None)), ("dense.against_best", best)):
        if name:
            against = soup.comparisons[name]
            chance = t("dense.beyond_chance" if against["p"] < 0.05 else "dense.within_chance", p=shell.p_value(against["p"]))
            sentences.append(t(key, name=shell.plain(name), points=shell.difference(against), chance=chance))
    return " ".join(sentences)


def _is_adversarial(name: str) -> bool:
    try:
        return lab.model_card(name)["settings"]["freelb"]["steps"] > 0
    except (ModelError, KeyError):
        return False


def show_soup(soup: SoupRun) -> None:
    """Ingredients, steps, findings."""
    st.subheader(t("dense.ingredients_title"))
    frame = ingredients(soup)
    st.dataframe(frame, hide_index=True)
    on = soup.evaluated_on
    st.caption(
        t("dense.provenance", examples=on["examples"], split=on["split"], dataset=shell.plain(on["dataset"]), recipe=soup.spec.recipe, seed=soup.spec.seed)
    )
    st.markdown(finding(soup))
    st.subheader(t("dense.steps_title"))
    words = {key: t(f"dense.{key}") for key in ("alone", "kept", "refused", "soup", "aua")}
    st.plotly_chart(dense_charts.soup_steps(soup.steps, words), alt=t("dense.steps_alt"), key="steps")
    chosen_by = soup.chosen_by["examples"]
    st.caption(t("dense.chosen_by", examples=chosen_by, text=f"{100 / chosen_by:g}", dataset=shell.plain(soup.chosen_by["dataset"])))
    st.markdown("\n".join(f"{number}. {why(step)}" for number, step in enumerate(soup.steps, 1)))
    left, right = st.columns(2)
    left.download_button(t("dense.csv"), frame.to_csv(index=False), f"soup-{soup.digest}.csv", "text/csv", icon=":material/download:", on_click="ignore")
    right.download_button(
        t("dense.json"), json.dumps(soup.to_json(), indent=2), f"soup-{soup.digest}.json", "application/json", icon=":material/download:", on_click="ignore"
    )


def curve(soup: SoupRun) -> None:
    """The line between two ingredients: from the store, or measured now."""
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
        show_curve(found)
    key = digest("curve-job", first, second)
    if found is None or not found.attacked:
        for attacked, text in ((0, "dense.measure"), (CURVE_ATTACKED, "dense.measure_attack")):
            if found is None or attacked:
                job = f"{key}-{attacked}"
                work, busy = (job, first, second, attacked), jobs.running(job)
                st.button(t(text, texts=attacked), icon=":material/play_arrow:", key=job, on_click=start_curve, args=work, disabled=busy)
                jobs.panel(job)


def _known_ends(names: list[str]) -> tuple[str, str]:
    """Two ingredients between which the line is known already, where there are such; else the first two."""
    known = ((first, second) for first in names for second in names if first != second and _found(first, second))
    return next(known, (names[0], names[1]))


def _found(first: str, second: str) -> Curve | None:
    """The stored curve, with attacks if they were ever made."""
    demo = lab.usual_dataset(first)
    with_attacks = lab.find_averaging_curve(first, second, demo, attacked=CURVE_ATTACKED)
    return with_attacks or lab.find_averaging_curve(first, second, demo)


def start_curve(key: str, first: str, second: str, attacked: int) -> None:
    """Queues the measuring."""

    def work(job: Job) -> None:
        lab.averaging_curve(first, second, lab.usual_dataset(first), attacked=attacked, progress=job.progress, cancel=job.cancel)

    jobs.manager().submit(key, work)


def show_curve(found: Curve) -> None:
    """Loss and accuracy along the line."""
    words = {"accuracy": t("overview.accuracy"), "aua": t("overview.aua"), "loss": t("dense.loss"), "rate": t("dense.rate")}
    words["share"] = t("dense.share", name=found.second)
    st.plotly_chart(dense_charts.averaging_curve(found.points, words), alt=t("dense.curve_alt"), key=f"curve-{found.digest}")
    on = found.evaluated_on
    note = t("dense.curve_note", examples=on["examples"], dataset=shell.plain(on["dataset"]), first=shell.plain(found.first), second=shell.plain(found.second))
    st.caption(note + (" " + t("dense.curve_attacked", texts=found.attacked, recipe=AttackSpec().recipe) if found.attacked else ""))


soups = [soup for soup in lab.all_soups() if soup.dataset in shell.datasets_of_model()]
if not soups:
    st.info(t("dense.none"), icon=":material/blender:")
    st.code(f"python -m robustprune soup --dataset {lab.usual_dataset(shell.model())} --ingredient FOLDER --ingredient FOLDER", language="sh")
    st.stop()
soup = soups[0]
start = next((name for name in lab.built_in_models() if lab.find_model(name).digest == lab.find_model(soup.model).digest), None)
if start:
    st.page_link(shell.page("prune"), label=t("dense.prune_this", name=start), icon=":material/content_cut:", query_params={"model": start})
show_soup(soup)
curve(soup)
