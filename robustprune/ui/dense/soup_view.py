"""Shows a soup: its ingredients with settings and scores, every decision of the greedy choice, and the result."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from robustprune import lab
from robustprune.base.errors import ModelError
from robustprune.lab.soups import SoupRun
from robustprune.texts.datasets import split_message
from robustprune.training.greedy_soup import Step
from robustprune.ui import exports
from robustprune.ui.charts import dense_charts
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import said, t


def name_of(soup: SoupRun) -> str:
    """The shown name of a soup: its ingredients, whether it ships or was made here, and the start of its digest."""
    return f"{' + '.join(soup.kept)} ({t('prune.shipped') if soup.shipped else t('compare.here')}, {soup.digest[:4]})"


def _settings_of(name: str) -> str:
    """How an ingredient was trained, in a few words; empty if it has no card that says so."""
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


def _ingredients(soup: SoupRun) -> pd.DataFrame:
    """One row per ingredient: its scores on texts that were not used for the greedy choice, and how it was trained. The last row is the soup."""
    rows = [_row(soup, step.name, step.name, t("dense.kept" if step.kept else "dense.refused"), _settings_of(step.name)) for step in soup.steps]
    return pd.DataFrame([*rows, _row(soup, soup.model, t("dense.soup"), "", t("dense.mean_of", count=len(soup.kept)))])


def _row(soup: SoupRun, name: str, shown: str, turn: str, training: str) -> dict[str, str]:
    scores, accuracy = soup.reported[name], soup.accuracies[name]
    return {
        t("dense.ingredient"): shown,
        t("dense.turn"): turn,
        t("compare.accuracy_all", examples=f"{accuracy['examples']:,}"): wording.rate(accuracy, "accuracy"),
        t("overview.aua"): wording.rate(scores, "aua"),
        t("dense.difference"): wording.difference(soup.comparisons[name]) if turn else "",
        t("dense.p"): wording.p_value(soup.comparisons[name]["p"]) if turn else "",
        t("dense.training"): training,
    }


def _why(step: Step) -> str:
    """Describes one decision in a sentence, with the numbers of that decision."""
    numbers = {"name": wording.plain(step.name), "alone": f"{step.alone.aua:.1%}", "together": f"{step.together.aua:.1%}"}
    if step.before is None:
        return t("dense.why_first", **numbers)
    return t("dense.why_kept" if step.kept else "dense.why_refused", before=f"{step.before.aua:.1%}", **numbers)


def _finding(soup: SoupRun) -> str:
    """Compares the soup with the best ingredient and with the best plainly trained one. Says whether each difference is more than chance."""
    plain = [name for name in soup.comparisons if not lab.is_adversarial(name)]
    best = max(soup.comparisons, key=lambda name: soup.reported[name]["aua"])
    sentences = []
    for key, name in (("dense.against_plain", max(plain, key=lambda name: soup.reported[name]["aua"], default=None)), ("dense.against_best", best)):
        if name:
            against = soup.comparisons[name]
            chance = t("dense.beyond_chance" if against["p"] < 0.05 else "dense.within_chance", p=wording.p_value(against["p"]))
            sentences.append(t(key, name=wording.plain(name), points=wording.difference(against), chance=chance))
    return " ".join(sentences)


def show(soup: SoupRun) -> None:
    """Shows ingredients, findings and steps."""
    st.subheader(t("dense.ingredients_title"))
    frame = _ingredients(soup)
    st.dataframe(frame, hide_index=True)
    on = soup.evaluated_on
    st.caption(
        t(
            "dense.provenance",
            examples=on["examples"],
            split=said(split_message(on["split"])),
            dataset=wording.plain(on["dataset"]),
            recipe=soup.spec.recipe,
            seed=soup.spec.seed,
        )
    )
    st.markdown(_finding(soup))
    st.subheader(t("dense.steps_title"))
    chart = steps(soup)
    st.markdown("\n".join(f"{number}. {_why(step)}" for number, step in enumerate(soup.steps, 1)))
    tables, documents = {t("dense.ingredients_title"): frame}, {t("export.all_numbers"): soup.to_json()}
    exports.offer(f"soup-{soup.digest}", {t("dense.steps_title"): chart}, tables, documents)


def steps(soup: SoupRun) -> go.Figure:
    """Draws the greedy choice as a chart, and says on which texts it was made. Returns the chart."""
    words = {key: t(f"dense.{key}") for key in ("alone", "kept", "refused", "soup", "aua")}
    chart = dense_charts.soup_steps(soup.steps, words)
    exports.chart(chart, alt=t("dense.steps_alt"), key="steps")
    chosen_by = soup.chosen_by["examples"]
    st.caption(t("dense.chosen_by", examples=chosen_by, text=f"{100 / chosen_by:g}", dataset=wording.plain(soup.chosen_by["dataset"])))
    return chart
