"""Pick a model and a sparsity, prune it, and watch the error arise layer by layer."""

import io
import json
import zipfile
from collections.abc import Sequence

import streamlit as st

from robustprune import lab
from robustprune.results import PruneRun
from robustprune.spec import ADAPTIVE, MAX_SPARSITY, METHODS, PruneSpec
from robustprune.ui import charts, jobs, shell
from robustprune.ui.i18n import t

OWN_FILE = "file"

shell.require_entrypoint()

st.title(t("prune.title"))
st.markdown(t("prune.question"))


def asked() -> PruneSpec:
    """The controls; everything they hold is in the link."""
    with st.container(border=True):
        sparsity = st.slider(t("prune.sparsity"), 0.0, MAX_SPARSITY, 0.5, 0.005, key="sparsity", bind="query-params", format="percent", help=t("help.sparsity"))
        with st.container(horizontal=True):
            method = st.segmented_control(t("prune.method"), METHODS, default="admm", key="method", bind="query-params", required=True, help=t("help.method"))
            adaptive = st.segmented_control(
                t("prune.adaptive"), ADAPTIVE, default="full", key="adaptive", bind="query-params", required=True, help=t("help.adaptive")
            )
        with st.expander(t("prune.more"), icon=":material/tune:"):
            calibration = st.number_input(t("prune.calibration"), 16, 2048, 512, step=64, key="calibration", bind="query-params", help=t("help.calibration"))
            seed = st.number_input(t("prune.seed"), 0, 1_000_000, 0, key="seed", bind="query-params", help=t("help.seed"))
            dataset = texts()
    return PruneSpec(shell.model(), dataset, method=method, adaptive=adaptive, sparsity=round(sparsity, 4), calibration=int(calibration), seed=int(seed))


def texts() -> str:
    """Where calibration and evaluation texts come from: what is on this machine, or a file of one's own."""
    chosen = st.selectbox(
        t("prune.texts"), [*lab.datasets_for(shell.model()), OWN_FILE], key="dataset", bind="query-params",
        format_func=lambda name: t("prune.own_file") if name == OWN_FILE else name,
    )  # fmt: skip
    if chosen != OWN_FILE:
        return chosen
    upload = st.file_uploader(t("prune.upload"), ["tsv", "csv"], help=t("prune.upload_help"))
    if upload is None:
        st.info(t("prune.upload_first"), icon=":material/upload_file:")
        st.stop()
    return lab.keep_upload(upload.name, upload.getvalue())


def start(spec: PruneSpec, key: str) -> None:
    """Queues the run."""
    jobs.manager().submit(key, lambda job: lab.prune(spec, job.progress, job.cancel))


def make_weights(run: PruneRun, key: str) -> None:
    """Queues the making of a precomputed run's weights."""
    jobs.manager().submit(key, lambda job: bool(lab.load_model(run.ref, job.progress, job.cancel)))


def growing_bars(layers: Sequence) -> None:
    """The layers that are done so far."""
    st.plotly_chart(charts.layer_errors(layers, shell.error_names()), alt=t("layers.alt"), key="growing")


def cards(run: PruneRun) -> None:
    """The result in four numbers."""
    row, card = st.container(horizontal=True), {"border": True, "height": "stretch", "width": shell.CARD_WIDTH}
    row.metric(t("prune.exact"), f"{run.report.sparsity:.4%}", **card)
    change = t("prune.change", change=f"{(run.sparse.accuracy - run.dense.accuracy) * 100:+.1f}", dense=f"{run.dense.accuracy:.1%}")
    row.metric(t("overview.accuracy"), f"{run.sparse.accuracy:.1%}", change, **card)
    row.metric(t("overview.error"), f"{run.mean_error:.3f}", help=t("help.error"), **card)
    row.metric(t("prune.time"), f"{run.report.seconds:.0f} s", **card)
    source = t("prune.shipped") if run.shipped else t("prune.here")
    made_from = {"texts": run.report.calibration, "held_out": run.report.held_out, "dataset": shell.dataset_name(run), "seed": run.spec.seed}
    measured = {"examples": run.sparse.examples, "low": f"{run.sparse.accuracy_low:.1%}", "high": f"{run.sparse.accuracy_high:.1%}"}
    st.caption(t("prune.provenance", source=source, **made_from, **measured))


def zipped(run: PruneRun) -> bytes:
    """The exported model as one file; made only when it is asked for."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(run.model_dir.iterdir()):
            archive.write(path, f"{run.digest}/{path.name}")
    return content.getvalue()


def downloads(run: PruneRun) -> None:
    """Report, and model with masks where the weights are here."""
    with st.container(horizontal=True):
        document = {
            "digest": run.digest,
            "spec": run.spec.to_json(),
            "report": run.report.to_json(),
            "dense": run.dense.to_json(),
            "sparse": run.sparse.to_json(),
            "made": run.made,
        }
        st.download_button(
            t("prune.get_report"), json.dumps(document, indent=2), f"{run.digest}.json", "application/json", icon=":material/download:", on_click="ignore"
        )
        chosen = shell.chosen_run()
        st.button(
            t("prune.use"),
            on_click=shell.choose_run,
            args=(run,),
            disabled=bool(chosen and chosen.digest == run.digest),
            icon=":material/check:",
            help=t("prune.use_help"),
        )
        if run.model_dir:
            st.download_button(t("prune.get_model"), lambda: zipped(run), f"{run.digest}.zip", "application/zip", icon=":material/download:", on_click="ignore")
        else:
            key = f"weights-{run.digest}"
            st.button(
                t("prune.make_weights"), icon=":material/replay:", help=t("prune.make_weights_help"),
                on_click=make_weights, args=(run, key), disabled=jobs.running(key),
            )  # fmt: skip
    if not run.model_dir:
        jobs.panel(f"weights-{run.digest}")


def result(run: PruneRun) -> None:
    """A finished run."""
    cards(run)
    st.plotly_chart(charts.layer_errors(run.report.layers, shell.error_names()), alt=t("layers.alt"), key="bars")
    st.caption(t("layers.reading"))
    downloads(run)
    with st.expander(t("prune.no_speedup"), icon=":material/help:"):
        st.markdown(t("prune.no_speedup_text"))


spec = asked()
key = lab.prune_digest(spec)[0]
run = lab.stored_run(key)
if run is None:
    st.button(
        t("prune.start", sparsity=shell.percent(spec.sparsity)), type="primary", icon=":material/play_arrow:",
        on_click=start, args=(spec, key), disabled=jobs.running(key),
    )  # fmt: skip
    if jobs.manager().get(key) is None:
        st.info(t("prune.nothing_yet"), icon=":material/content_cut:")
    jobs.panel(key, growing_bars)
else:
    result(run)
