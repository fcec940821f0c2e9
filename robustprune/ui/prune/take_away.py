"""What users can take from a finished run: the report, the model in two formats, and a measurement of what its zeros really save."""

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from robustprune import lab
from robustprune.lab.runs import PruneRun
from robustprune.ui import exports, limits
from robustprune.ui.frame import shell
from robustprune.ui.jobs import panel
from robustprune.ui.words.i18n import t

MEGABYTE = 1e6
# By the name of a measured form of the model: the field with the size of the file that this form runs from.
SIZES = {"dense": "dense_bytes", "sparse": "dense_bytes", "compressed": "compressed_bytes", "sparse kernels": "dense_bytes"}


def downloads(run: PruneRun, figure: go.Figure) -> None:
    """Draws the buttons for the finished run: chart and report, using the run on other pages, and the model with its masks in two formats.

    If the weights are not stored on this machine, a button that makes them replaces the downloads of the model. A shared server offers no
    download of a model.
    """
    with st.container(horizontal=True):
        exports.offer(f"layers-{run.digest}", {t("layers.chart"): figure}, documents={t("prune.report"): _report(run)})
        chosen = shell.chosen_run()
        st.button(
            t("prune.use"), on_click=shell.choose_run, args=(run.digest,), disabled=bool(chosen and chosen.digest == run.digest),
            icon=":material/check:", help=t("prune.use_help"),
        )  # fmt: skip
        if run.model_dir and not limits.shared():
            st.download_button(
                t("prune.get_model"), lambda: _zipped(run.model_dir, run.digest), f"{run.digest}.zip", "application/zip",
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
            st.download_button(
                t("prune.get_compressed"), lambda: _compressed(run), f"{run.digest}-compressed.zip", "application/zip",
                icon=":material/compress:", on_click="ignore", help=t("prune.get_compressed_help"),
            )  # fmt: skip
        elif not run.model_dir:
            key = f"weights-{run.digest}"
            panel.start_button(
                t("prune.make_weights"), key, lambda job: bool(lab.load_model(run.ref, job.progress, job.cancel)), help=t("prune.make_weights_help")
            )
    if not run.model_dir:
        panel.show(f"weights-{run.digest}")


def what_zeros_save(run: PruneRun) -> None:
    """Shows size and speed, measured on this machine when the user asks for it."""
    with st.expander(t("prune.no_speedup"), icon=":material/speed:"):
        st.markdown(t("prune.no_speedup_text"))
        if not run.model_dir:
            st.caption(t("prune.speed_needs_weights"))
            return
        key = f"speed-{run.digest}"
        panel.start_button(t("prune.measure_speed"), key, lambda job: lab.measure_speed(run.ref, progress=job.progress, cancel=job.cancel))
        measured = panel.result(key)
        if measured is None:
            panel.show(key)
            return
        latency, sizes = measured
        rows = [
            {
                t("prune.speed_form"): t(f"speed.{one.name.replace(' ', '_')}"),
                t("prune.speed_ms"): f"{one.median_ms:.1f} ({one.low_ms:.1f} – {one.high_ms:.1f})",
                t("prune.speed_size"): f"{getattr(sizes, SIZES[one.name]) / MEGABYTE:.1f}",
            }
            for one in latency.latencies
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True)
        layers = {"before": f"{sizes.pruned_dense_bytes / MEGABYTE:.1f}", "after": f"{sizes.pruned_compressed_bytes / MEGABYTE:.1f}"}
        half = f"{sizes.half_bytes / MEGABYTE:.1f}"
        st.caption(t("prune.speed_note", texts=latency.texts, rounds=latency.rounds, threads=latency.threads, half=half, **layers))


def _report(run: PruneRun) -> dict[str, Any]:
    parts = {"spec": run.spec, "report": run.report, "dense": run.dense, "sparse": run.sparse}
    return {"digest": run.digest, **{name: part.to_json() for name, part in parts.items()}, "made": run.made}


def _zipped(folder: Path, name: str) -> bytes:
    """The content of a folder as a zip file. It is made only when the user asks for it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{name}/{path.name}")
    return content.getvalue()


def _compressed(run: PruneRun) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "compressed"
        lab.compress(run.ref, out)
        return _zipped(out, f"{run.digest}-compressed")
