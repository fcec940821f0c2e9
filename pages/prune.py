"""Pick a model and a sparsity, prune it, and watch the error arise layer by layer."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from robustprune import lab
from robustprune.lab.runs import PruneRun
from robustprune.specs.prune import PruneSpec
from robustprune.ui import exports
from robustprune.ui.charts import layer_charts
from robustprune.ui.frame import shell
from robustprune.ui.jobs import panel
from robustprune.ui.jobs.queue import Job
from robustprune.ui.prune import settings, take_away
from robustprune.ui.words import wording
from robustprune.ui.words.i18n import meaning, t

# The width of a card in pixels: five cards fill a wide page.
CARD_WIDTH = 174

shell.require_entrypoint()

st.title(t("prune.title"), help=meaning("pruning"))
st.markdown(t("prune.question"))


def start(spec: PruneSpec, job: Job) -> None:
    """Prunes as ``spec`` says; the lab stores the run."""
    lab.prune(spec, job.progress, job.cancel)


def growing_bars(layers: Sequence) -> None:
    """Draws the bars of the layers that are done so far."""
    exports.chart(layer_charts.layer_errors(layers, shell.error_names()), alt=t("layers.alt"), key="growing")


def cards(run: PruneRun) -> None:
    """Shows the result as numbers on cards."""
    row, layout = st.container(horizontal=True), {"border": True, "height": "stretch", "width": CARD_WIDTH}
    zeros = t("prune.zeros", zeros=f"{run.report.zeros:,}")
    row.metric(t("prune.exact"), f"{run.report.sparsity:.3%}", zeros, delta_color="off", delta_arrow="off", help=t("prune.exact_help"), **layout)
    change = t("prune.change", change=f"{(run.sparse.accuracy - run.dense.accuracy) * 100:+.1f}", dense=f"{run.dense.accuracy:.1%}")
    row.metric(t("overview.accuracy"), f"{run.sparse.accuracy:.1%}", change, **layout)
    row.metric(t("overview.error"), f"{run.mean_error:.3f}", help=meaning("reconstruction_error"), **layout)
    row.metric(t("prune.time"), f"{run.report.seconds:.0f} s", **layout)
    before, after = (f"{size / take_away.MEGABYTE:.1f}" for size in (run.report.dense_bytes, run.report.compressed_bytes))
    row.metric(t("prune.size"), f"{after} MB", t("prune.size_dense", before=before), delta_color="off", delta_arrow="off", help=t("prune.size_help"), **layout)
    source = t("prune.shipped") if run.shipped else t("prune.here")
    made_from = {"texts": run.report.calibration, "held_out": run.report.held_out, "dataset": shell.dataset_name(run), "seed": run.spec.seed}
    measured = {"examples": run.sparse.examples, "low": f"{run.sparse.accuracy_low:.1%}", "high": f"{run.sparse.accuracy_high:.1%}"}
    threads = t("prune.threads", threads=run.made["threads"], device=run.made["device"]) if "threads" in run.made else ""
    st.caption(f"{t('prune.provenance', source=source, **made_from, **measured)} {threads}")


def result(run: PruneRun) -> None:
    """Shows a finished run."""
    cards(run)
    figure = layer_charts.layer_errors(run.report.layers, shell.error_names())
    exports.chart(figure, alt=t("layers.alt"), key="bars")
    st.caption(t("layers.reading"))
    if run.spec.refit_head:
        refitted = [f"{layer.name} ({layer.before:.3f} → {layer.after:.3f})" for layer in run.report.head if layer.ridge is not None]
        st.caption(t("prune.head_refitted", layers=wording.plain(", ".join(refitted))) if refitted else t("prune.head_kept"))
    take_away.downloads(run, figure)
    take_away.what_zeros_save(run)


spec = settings.asked()
key = lab.prune_digest(spec)[0]
run = lab.stored_run(key)
if run is None:
    panel.start_button(t("prune.start", sparsity=spec.asked), key, partial(start, spec), primary=True)
    if panel.manager().get(key) is None:
        st.info(t("prune.nothing_yet"), icon=":material/content_cut:")
    panel.show(key, growing_bars)
else:
    result(run)
