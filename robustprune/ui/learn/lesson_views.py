"""The views of the lessons' cards, by the names that the lesson files use. Except for :func:`paper_rows`, they show the engine's own results."""

from collections.abc import Callable
from html import escape

import pandas as pd
import streamlit as st

from robustprune import lab
from robustprune.analysis.attention import PAPER_SENTENCE
from robustprune.lab.curves import ATTACKED
from robustprune.lab.runs import PruneRun
from robustprune.studies import paper
from robustprune.ui import exports, links, sparsity_lines
from robustprune.ui.attack import replay, verdict
from robustprune.ui.charts import charts, layer_charts
from robustprune.ui.compare import paper_view, tables_view
from robustprune.ui.dense import curve_view, soup_view
from robustprune.ui.frame import missing, shell
from robustprune.ui.learn import lesson_charts, piling_view, quiz, surgeon_view
from robustprune.ui.learn import numbers as lesson_numbers
from robustprune.ui.learn.numbers import AS_GOOD_POINTS, DATASET, DEMO_TEXT, HALF, LINE, MEGABYTE, MODEL, stays_near
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import meaning, t

TOKEN = (
    "display:inline-block;border:1px solid rgba(138,148,163,.6);border-radius:6px;padding:.15rem .5rem;margin:.15rem;font-family:monospace;font-size:1.05rem"
)
GUESSED = "learn_guessed"
# Session keys of the cards' widgets that the lesson files do not name. Leaving a card deletes their values; the score of the quiz stays.
KEYS = ("sizes", "row", "quiz", GUESSED, "learn_guess_magnitude", "learn_guess_admm")
# How many flipped texts a card puts to the reader.
READ = 3
# The dense models of the comparison: a soup, and a single model of the same data set.
STARTS = (MODEL, "sst2-demo")


def tokens(_: dict) -> None:
    """Shows the paper's sentence as the model's tokens."""
    maps = lab.find_attention(MODEL, PAPER_SENTENCE)
    if maps is None:
        missing.result("attention")
        return
    st.markdown(f"> {wording.plain(PAPER_SENTENCE)}")
    st.html("".join(f'<span style="{TOKEN}">{escape(token)}</span>' for token in maps.tokens))


def anatomy(_: dict) -> None:
    """Draws every linear layer as a cell."""
    run = lesson_numbers.find_usual_run(sparsity=HALF)
    if run is None:
        missing.result("prune")
        return
    figure = lesson_charts.anatomy(run.report.layers, {"block": t("layers.block"), "weights": t("learn.weights")})
    exports.chart(figure, alt=t("learn.anatomy_alt"), key="anatomy")


def histogram(_: dict) -> None:
    """Draws the distribution of one layer's weights: the dense ones, and those that were kept."""
    run = lesson_numbers.find_usual_run(sparsity=HALF)
    views = lab.find_layer_views(run) if run else None
    if views is None:
        missing.result("layers")
        return
    name, view = next(iter(views.layers.items()))
    words = {key: t(f"layers.{key}") for key in ("weight", "count", "dense", "kept")}
    exports.chart(layer_charts.weights_histogram(view, words), alt=t("layers.histogram_alt", layer=name), key="histogram")
    short, block = layer_charts.short_name(name)
    st.caption(t("layers.place", name=short, block=block))


def sizes(_: dict) -> None:
    """Shows what a sparsity saves on disk, and what it costs in accuracy."""
    runs = {wording.percent(run.spec.sparsity): run for run in _shipped()}
    if not runs:
        missing.shipped()
        return
    links.choice("sizes", list(runs), next(reversed(runs)))
    run = runs[st.select_slider(t("prune.sparsity"), list(runs), key="sizes")]
    row, look = st.container(horizontal=True), {"border": True, "height": "stretch", "width": shell.CARD_WIDTH, "delta_color": "off", "delta_arrow": "off"}
    dense, compressed = (f"{size / MEGABYTE:.1f} MB" for size in (run.report.half_bytes, run.report.compressed_bytes))
    row.metric(t("learn.size"), compressed, t("learn.of_dense", dense=dense), **look)
    row.metric(t("overview.zeros"), f"{run.report.zeros:,}", t("overview.of", weights=f"{run.report.weights:,}"), help=meaning("sparsity"), **look)
    rate = f"{run.sparse.accuracy:.1%}"
    row.metric(t("overview.accuracy"), rate, t("learn.of_dense", dense=f"{run.dense.accuracy:.1%}"), help=meaning("accuracy"), **look)


def _shipped() -> list[PruneRun]:
    """The shipped runs of the best method, in order of sparsity."""
    return sparsity_lines.families(MODEL).get(sparsity_lines.METHODS[0], [])


def guess_sparsity(_: dict) -> None:
    """Asks up to which sparsity each of two methods stays near the dense accuracy. After the guess, shows the answer and the chart."""
    families = sparsity_lines.families(MODEL)
    asked = [pair for pair in (("magnitude", "none"), ("admm", "full")) if pair in families]
    if len(asked) < 2:
        missing.shipped()
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
        verdict = t("guess.answer" if answer else "guess.never", method=pair[0], sparsity=wording.percent(answer or 0), margin=AS_GOOD_POINTS)
        st.markdown(f"{':material/check_circle:' if guesses[pair] == wording.percent(answer or 0) else ':material/arrow_forward:'} {verdict}")
    _over_sparsity("accuracy", families)


def _guessed() -> None:
    st.session_state[GUESSED] = True


def costs(_: dict) -> None:
    """Draws accuracy and accuracy under attack over sparsity."""
    families = sparsity_lines.families(MODEL)
    if not sparsity_lines.aua(families):
        missing.shipped()
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
    """Shows the outcome of a recorded attack on the dense model."""
    trace = quiz.attacked_texts().get(DEMO_TEXT)
    if trace is None:
        missing.result("attack")
        return
    replay.outcome_card(trace, t("run.dense"))


def read_it(_: dict) -> None:
    """Lets the user read recorded attacks that flipped the dense model, and counts the texts that the user accepts."""
    flipped = {number: trace for number, trace in quiz.attacked_texts().items() if trace.outcome == "flipped"}
    if not flipped:
        missing.result("attack")
        return
    for trace in list(flipped.values())[:READ]:
        verdict.note({t("run.dense"): trace})
        with st.container(border=True):
            st.html(replay.sentence_html(trace))
            verdict.ask(trace)
    verdict.tally()


def averaging(_: dict) -> None:
    """Draws the line between two ingredients."""
    curve = lab.find_averaging_curve(*LINE, lab.usual_dataset(MODEL), attacked=ATTACKED)
    if curve is None:
        missing.result("dense")
        return
    curve_view.show(curve)


def soup_steps(_: dict) -> None:
    """Draws the greedy choice of the shipped soup."""
    soup = lesson_numbers.lesson_soup()
    if soup is None:
        missing.shipped()
        return
    soup_view.steps(soup)


def starts(_: dict) -> None:
    """Compares one method on a soup and on a single model: first both dense, then pruned to each sparsity.

    The rows of the soup also hold its lead, which is measured on the same texts.
    """
    families = [sparsity_lines.families(name).get(sparsity_lines.METHODS[0], []) for name in STARTS]
    pairs = list(zip(*families, strict=False))
    if not pairs:
        missing.shipped()
        return
    rows = [*_start_rows(pairs[0], dense=True), *(row for pair in pairs for row in _start_rows(pair, dense=False))]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content")


def _start_rows(pair: tuple[PruneRun, ...], dense: bool) -> list[dict[str, str]]:
    """One row per dense model: before pruning if ``dense``, else as these runs pruned it. The soup's row also holds its lead."""
    refs = [run.spec.model if dense else run.ref for run in pair]
    lead = lab.find_comparison(refs[1], refs[0])
    rows = []
    for name, run, ref in zip(STARTS, pair, refs, strict=True):
        accuracy, scores, led = run.dense if dense else run.sparse, lab.find_scores(ref), lead if name == MODEL else None
        rows.append({
            t("compare.sparsity"): t("run.dense") if dense else wording.percent(run.spec.sparsity),
            t("sidebar.model"): name,
            t("overview.accuracy"): wording.rate(accuracy.to_json(), "accuracy"),
            t("overview.aua"): wording.rate(scores, "aua") if scores else "",
            t("dense.difference"): wording.difference(led) if led else "",
            t("dense.p"): wording.p_value(led["p"]) if led else "",
        })  # fmt: skip
    return rows


def arithmetic(_: dict) -> None:
    """Shows how the rates of a row follow from its counts."""
    table = lesson_numbers.lesson_table()
    if table is None:
        missing.shipped()
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
    """Shows the paper's rows for the dense models and for sparsity 0.5."""
    rows = [row for row in paper.rows(DATASET) if row.sparsity in (0, HALF)]
    st.dataframe(paper_view.frame_of(rows), hide_index=True, height="content")
    st.caption(paper_view.source(rows))


def our_table(_: dict) -> None:
    """Shows our own rows for one dense model, and which of them differ by more than chance."""
    table = lesson_numbers.lesson_table()
    if table is None:
        missing.shipped()
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
    "read_it": read_it,
    "predict_first": quiz.predict_first,
    "beat": quiz.beat,
    "averaging": averaging,
    "soup_steps": soup_steps,
    "starts": starts,
    "arithmetic": arithmetic,
    "paper_rows": paper_rows,
    "our_table": our_table,
}
