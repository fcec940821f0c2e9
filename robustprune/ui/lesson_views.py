"""What the cards of lessons show, by the name that stands in the lesson's data. Every view is of the engine's own results."""

from collections.abc import Callable
from html import escape

import pandas as pd
import streamlit as st

from robustprune import lab, paper_numbers
from robustprune.analysis.attention import PAPER_SENTENCE
from robustprune.lesson_numbers import DATASET, DEMO_TEXT, HALF, LINE, LINE_ATTACKED, MARGIN, MEGABYTE, MODEL
from robustprune.results import PruneRun
from robustprune.tables import Table
from robustprune.ui import (
    charts,
    curve_view,
    exports,
    layer_charts,
    lesson_charts,
    links,
    paper_view,
    piling_view,
    quiz,
    replay,
    shell,
    soup_view,
    sparsity_lines,
    surgeon_view,
    tables_view,
    wording,
)
from robustprune.ui.i18n import meaning, t

TOKEN = (
    "display:inline-block;border:1px solid rgba(138,148,163,.6);border-radius:6px;padding:.15rem .5rem;margin:.15rem;font-family:monospace;font-size:1.05rem"
)
GUESSED = "learn_guessed"
# What the cards' widgets keep in the session, apart from what the lessons' data name; the score of the quiz is no such thing.
KEYS = ("sizes", "row", "quiz", quiz.GUESS, quiz.REVEALED, GUESSED, "learn_guess_magnitude", "learn_guess_admm")
# A soup, and a single model of the same data set, to prune from.
STARTS = (MODEL, "sst2-demo")


def missing() -> None:
    """Says that what a card shows is not on this machine, and where it is made."""
    st.info(t("learn.not_here"), icon=":material/info:")
    st.page_link(shell.page("prune"), label=t("empty.go_prune"))


def tokens(_: dict) -> None:
    """The paper's sentence as the model's tokens."""
    maps = lab.find_attention(MODEL, PAPER_SENTENCE)
    if maps is None:
        missing()
        return
    st.markdown(f"> {wording.plain(PAPER_SENTENCE)}")
    st.html("".join(f'<span style="{TOKEN}">{escape(token)}</span>' for token in maps.tokens))


def anatomy(_: dict) -> None:
    """Every linear layer as a cell."""
    run = lab.find_usual_run(sparsity=HALF)
    if run is None:
        missing()
        return
    figure = lesson_charts.anatomy(run.report.layers, {"block": t("layers.block"), "weights": t("learn.weights")})
    exports.chart(figure, alt=t("learn.anatomy_alt"), key="anatomy")


def histogram(_: dict) -> None:
    """The weights of one layer, dense and kept."""
    run = lab.find_usual_run(sparsity=HALF)
    views = lab.find_layer_views(run) if run else None
    if views is None:
        missing()
        return
    name, view = next(iter(views.layers.items()))
    words = {key: t(f"layers.{key}") for key in ("weight", "count", "dense", "kept")}
    exports.chart(layer_charts.weights_histogram(view, words), alt=t("layers.histogram_alt", layer=name), key="histogram")
    st.caption(name)


def sizes(_: dict) -> None:
    """What a sparsity saves on disk, and what it costs in accuracy."""
    runs = {wording.percent(run.spec.sparsity): run for run in _shipped()}
    if not runs:
        missing()
        return
    links.choice("sizes", list(runs), next(reversed(runs)))
    run = runs[st.select_slider(t("prune.sparsity"), list(runs), key="sizes")]
    row, card = st.container(horizontal=True), {"border": True, "height": "stretch", "width": shell.CARD_WIDTH, "delta_color": "off", "delta_arrow": "off"}
    dense, compressed = (f"{size / MEGABYTE:.1f} MB" for size in (run.report.dense_bytes, run.report.compressed_bytes))
    row.metric(t("prune.size"), compressed, t("learn.of_dense", dense=dense), help=t("prune.size_help"), **card)
    row.metric(t("overview.zeros"), f"{run.report.zeros:,}", t("overview.of", weights=f"{run.report.weights:,}"), help=meaning("sparsity"), **card)
    rate = f"{run.sparse.accuracy:.1%}"
    row.metric(t("overview.accuracy"), rate, t("learn.of_dense", dense=f"{run.dense.accuracy:.1%}"), help=meaning("accuracy"), **card)


def _shipped() -> list[PruneRun]:
    """The runs of the best method that ship, by sparsity."""
    return sparsity_lines.families(MODEL).get(sparsity_lines.METHODS[0], [])


def guess_sparsity(_: dict) -> None:
    """Up to which sparsity each of two methods stays near the dense accuracy: a guess first, then the chart."""
    families = sparsity_lines.families(MODEL)
    asked = [pair for pair in (("magnitude", "none"), ("admm", "full")) if pair in families]
    if len(asked) < 2:
        missing()
        return
    guesses = {}
    for pair in asked:
        options = [wording.percent(run.spec.sparsity) for run in families[pair]]
        guesses[pair] = st.pills(t("guess.up_to", method=pair[0]), options, key=f"learn_guess_{pair[0]}")
    ready = all(guesses.values())
    st.button(t("quiz.reveal"), key="guess-reveal", type="primary", disabled=not ready, on_click=_guessed)
    if not ready or not st.session_state.get(GUESSED):
        return
    for pair in asked:
        answer = stays_near(families[pair])
        told = t("guess.answer" if answer else "guess.never", method=pair[0], sparsity=wording.percent(answer or 0), margin=MARGIN)
        st.markdown(f"{':material/check_circle:' if guesses[pair] == wording.percent(answer or 0) else ':material/arrow_forward:'} {told}")
    _over_sparsity("accuracy", families)


def _guessed() -> None:
    st.session_state[GUESSED] = True


def stays_near(runs: list[PruneRun]) -> float | None:
    """The largest sparsity up to which all runs, ordered by it, are at most MARGIN points below the dense accuracy; None if none is."""
    last = None
    for run in runs:
        if run.sparse.accuracy < run.dense.accuracy - MARGIN / 100:
            break
        last = run.spec.sparsity
    return last


def costs(_: dict) -> None:
    """Accuracy and accuracy under attack over sparsity."""
    families = sparsity_lines.families(MODEL)
    if not sparsity_lines.aua(families):
        missing()
        return
    for column, name in zip(st.columns(2), ("accuracy", "aua"), strict=True):
        with column:
            _over_sparsity(name, families)


def _over_sparsity(name: str, families: sparsity_lines.Families) -> None:
    run = _shipped()[-1]
    lines = sparsity_lines.accuracy(families) if name == "accuracy" else sparsity_lines.aua(families)
    dense = sparsity_lines.dense_accuracy(run) if name == "accuracy" else sparsity_lines.dense_aua(MODEL)
    figure = charts.over_sparsity(lines, dense, run.spec.sparsity, t(f"overview.{name}"), t("run.dense"), percent=True)
    exports.chart(figure, alt=t(f"overview.{name}_alt"), key=f"lesson-{name}")


def attacked(_: dict) -> None:
    """A recorded attack on the dense model: what became of the sentence."""
    trace = quiz.attacked_texts().get(DEMO_TEXT)
    if trace is None:
        missing()
        return
    replay.outcome_card(trace, t("run.dense"))


def averaging(_: dict) -> None:
    """The line between two ingredients."""
    curve = lab.find_averaging_curve(*LINE, lab.usual_dataset(MODEL), attacked=LINE_ATTACKED)
    if curve is None:
        missing()
        return
    curve_view.show(curve)


def soup_steps(_: dict) -> None:
    """The greedy choice."""
    soup = next((one for one in lab.all_soups() if one.dataset == DATASET), None)
    if soup is None:
        missing()
        return
    soup_view.steps(soup)


def starts(_: dict) -> None:
    """The same method from a soup and from a single model."""
    rows = [_start_row(name, run) for name in STARTS for run in sparsity_lines.families(name).get(sparsity_lines.METHODS[0], [])]
    if not rows:
        missing()
        return
    st.dataframe(pd.DataFrame(rows).sort_values(t("compare.sparsity"), kind="stable"), hide_index=True)


def _start_row(name: str, run: PruneRun) -> dict[str, str]:
    scores = lab.find_scores(run.ref)
    return {
        t("compare.sparsity"): wording.percent(run.spec.sparsity),
        t("sidebar.model"): name,
        t("overview.accuracy"): wording.rate(run.sparse.to_json(), "accuracy"),
        t("overview.aua"): wording.rate(scores, "aua") if scores else "",
        t("overview.error"): f"{run.mean_error:.3f}",
    }


def _table() -> Table | None:
    """Our table of the lessons' data set, methods side by side at half of the weights."""
    return next((table for table in lab.all_tables() if table.dataset == DATASET and table.sparsity == HALF), None)


def arithmetic(_: dict) -> None:
    """The rates of a row, from its counts."""
    table = _table()
    if table is None:
        missing()
        return
    rows = {row.name: row for row in table.rows}
    links.choice("row", list(rows), next(iter(rows)))
    scores = rows[st.selectbox(t("compare.method"), list(rows), key="row", format_func=tables_view.name_of, width=420)].scores
    texts, wrong, held, flipped = (scores[key] for key in ("examples", "skipped", "held", "flipped"))
    with st.container(horizontal=True):
        for key, count in {"n": texts, "s": wrong, "f": held, "a": flipped}.items():
            st.metric(t(f"arithmetic.{key}"), count, border=True, width=160)
    st.latex(rf"\mathrm{{Acc}} = \frac{{N - S}}{{N}} = \frac{{{texts} - {wrong}}}{{{texts}}} = {scores['acc'] * 100:.1f}\,\%")
    st.latex(rf"\mathrm{{Aua}} = \frac{{F}}{{N}} = \frac{{{held}}}{{{texts}}} = {scores['aua'] * 100:.1f}\,\%")
    st.latex(rf"\mathrm{{Asr}} = \frac{{A}}{{A + F}} = \frac{{{flipped}}}{{{flipped} + {held}}} = {scores['asr'] * 100:.1f}\,\%")


def paper_rows(_: dict) -> None:
    """The paper's rows for the dense models and for half of the weights."""
    rows = [row for row in paper_numbers.rows(DATASET) if row.sparsity in (0, HALF)]
    st.dataframe(paper_view.frame_of(rows), hide_index=True, height="content")
    st.caption(paper_view.source(rows))


def our_table(_: dict) -> None:
    """Our own rows on one start, and which differ by more than chance."""
    table = _table()
    if table is None:
        missing()
        return
    tables_view.rates(table)


VIEWS: dict[str, Callable[[dict], None]] = {
    "tokens": tokens,
    "anatomy": anatomy,
    "histogram": histogram,
    "sizes": sizes,
    "guess_sparsity": guess_sparsity,
    "costs": costs,
    "surface": surgeon_view.surface,
    "six": surgeon_view.six,
    "piling": piling_view.piling,
    "corrected": piling_view.corrected,
    "attacked": attacked,
    "predict_first": quiz.predict_first,
    "beat": quiz.beat,
    "averaging": averaging,
    "soup_steps": soup_steps,
    "starts": starts,
    "arithmetic": arithmetic,
    "paper_rows": paper_rows,
    "our_table": our_table,
}
