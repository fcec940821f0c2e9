"""The tables that the command ``compare`` makes: methods on one dense model under one attack, like the paper's Table 1."""

import shlex

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from robustprune import lab
from robustprune.attacks.resources.names import message_of
from robustprune.lab.tables import MethodTable, Row
from robustprune.texts.datasets import split_message
from robustprune.ui import exports
from robustprune.ui.charts import dense_charts
from robustprune.ui.frame import shell
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import meaning, said, t, t_or

RATES = {"acc": "overview.accuracy", "aua": "overview.aua", "asr": "compare.asr"}
# The settings of a row that the link to the prune page holds.
LINKED = ("model", "dataset", "method", "adaptive", "sparsity", "calibration", "seed")


def show() -> None:
    """Shows every table of the model's data set. If there is none, shows how to make one."""
    tables = [table for table in lab.all_tables() if table.dataset in shell.datasets_of_model()]
    if not tables:
        st.info(t("compare.nothing"), icon=":material/table_chart:")
        dataset, model = (shlex.quote(name) for name in (shell.need_dataset(), shell.model()))
        command = f"python -m robustprune compare --dataset {dataset} --model {model} --method admm --method sparsegpt"
        st.code(command, language="sh")
    for table in tables:
        st.subheader(wording.plain(_title(table)))
        _show(table)


def name_of(name: str) -> str:
    """The shown name of a row: the name of a method in the field, or a model's own name."""
    return t_or(f"compare.row.{name}", name)


def _title(table: MethodTable) -> str:
    """The title of a table: what it compares."""
    what = t("compare.pruned", sparsity=wording.percent(table.sparsity)) if table.sparsity else t("compare.dense")
    return t("compare.table", model=table.rows[0].name, what=what, dataset=table.dataset, examples=table.examples, recipe=table.spec.recipe)


def _frame(table: MethodTable) -> pd.DataFrame:
    """The rows as numbers, with intervals in brackets."""
    rows = []
    for row in table.rows:
        rates = {t(key): wording.rate(row.scores, rate) for rate, key in RATES.items()}
        rows.append(
            {
                t("compare.method"): name_of(row.name),
                t("compare.accuracy_all", examples=f"{row.accuracy['examples']:,}"): wording.rate(row.accuracy, "accuracy"),
                **rates,
                t("compare.difference"): "" if row is table.rows[0] else wording.difference(row.against_first),
                t("compare.p"): "" if row is table.rows[0] else wording.p_value(row.against_first["p"]),
                t("compare.retrains"): "" if row.retrains is None else t("compare.yes" if row.retrains else "compare.no"),
                t("compare.seconds"): "" if row.seconds is None else f"{row.seconds:,.0f}",
            }
        )
    result = pd.DataFrame(rows)
    return result.loc[:, (result != "").any()]  # drops empty columns: a table of dense models has neither seconds nor retraining


def rates(table: MethodTable) -> go.Figure:
    """Draws the rows side by side, and says which of them differ by more than chance. Returns the chart."""
    shown = [{"name": name_of(row.name), "scores": row.scores} for row in table.rows]
    words = {"acc": t("overview.accuracy"), "aua": t("overview.aua")}
    chart = dense_charts.side_by_side(shown, words)
    exports.chart(chart, alt=t("compare.alt"), key=f"table-{table.digest}")
    st.markdown(_findings(table))
    return chart


def _findings(table: MethodTable) -> str:
    """Which rows differ from the first by more than chance, in words."""
    first, others = table.rows[0], table.rows[1:]
    apart = [row for row in others if row.against_first["p"] < 0.05]
    if not apart:
        return t("compare.none_apart", first=wording.plain(name_of(first.name)))
    said = "; ".join(_difference(row) for row in apart)
    return t("compare.apart", first=wording.plain(name_of(first.name)), list=said)


def _difference(row: Row) -> str:
    return f"{wording.plain(name_of(row.name))} {wording.difference(row.against_first)}"


def _open(table: MethodTable) -> None:
    """Draws a link for every row that was pruned without training. The link opens the prune page with the settings of the row."""
    pruned = [row for row in table.rows if row.start in lab.built_in_models() and not row.retrains]
    if pruned:
        st.caption(t("compare.open_rows"))
        with st.container(horizontal=True):
            for row in pruned:
                link = {key: str(row.settings[key]) for key in LINKED}
                st.page_link(shell.page("prune"), label=name_of(row.name), icon=":material/content_cut:", query_params=link, help=row.model)


def _show(table: MethodTable) -> None:
    """Shows one table: chart, numbers, findings, downloads."""
    chart = rates(table)
    figures = _frame(table)
    explained = {t("overview.aua"): meaning("aua"), t("compare.asr"): meaning("asr"), t("overview.accuracy"): meaning("accuracy")}
    st.dataframe(figures, hide_index=True, column_config={column: st.column_config.Column(help=means) for column, means in explained.items()})
    source = t("prune.shipped") if table.shipped else t("compare.here")
    about = {
        "examples": table.examples,
        "split": said(split_message(table.split)),
        "dataset": wording.plain(table.dataset),
        "recipe": table.spec.recipe,
        "seed": table.spec.seed,
    }
    st.caption(t("compare.provenance", source=source, synonyms=wording.plain(said(message_of(table.resources["synonyms"]))), **about))
    _open(table)
    exports.offer(f"table-{table.digest}", {t("export.chart"): chart}, {t("export.table"): figures}, {t("export.all_numbers"): table.to_json()})
    if command := table.made.get("command"):
        st.caption(t("compare.command"))
        st.code(command, language="sh")
