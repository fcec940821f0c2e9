"""The commands about many runs: sweep, results, report."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from robustprune.base import checks
from robustprune.cli.common import Json, show, show_progress, tell

if TYPE_CHECKING:
    import pandas as pd

    from robustprune.base.progress import Progress

MINUTE = 60


def sweep(
    file: Annotated[Path, typer.Argument(help="A YAML file; six ship in assets/sweeps.")],
    scheduler: Annotated[
        str | None, typer.Option(help="The scheduler of a Dask cluster that is there, such as tcp://host:8786. Left out: this machine.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Workers on this machine. Left out: what fits its cores and memory.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be run.")] = False,
    as_json: Json = False,
) -> None:
    """Prune and attack in many settings, read from one YAML file. Stored results are reused: to continue after an interruption, repeat the command."""
    from robustprune import studies
    from robustprune.specs import sweep as specs_sweep

    spec = specs_sweep.SweepSpec.read(file)
    plan = studies.plan_sweep(spec, _looking())
    fitted = studies.sweep_workers(workers)
    tell(_planned(plan, "the cluster's workers" if scheduler else str(fitted), fitted.count))
    if dry_run:
        show(as_json, {"planned": len(plan.tasks), "done": 0, "skipped": len(plan.done), "failed": 0, "seconds": 0.0}, "Nothing was run.")
        return
    with _asked_to_stop() as cancel:
        result = studies.sweep(plan, fitted, scheduler, _progress(), cancel)
    lines = [f"{result.done} run, {result.skipped} stored before, {len(result.failed)} failed, of {result.planned}; {result.seconds:.0f} s"]
    lines += [f"failed: {one.name}: {one.error}" for one in result.failed]
    for line in lines[1:] if as_json else ():
        tell(line)
    show(as_json, result.to_json(), "\n".join(lines))
    if result.failed:
        raise typer.Exit(1)


def _planned(plan: Any, workers: str, count: int) -> str:
    from robustprune import studies

    left = len(plan.left)
    line = f"{len(plan.tasks)} runs, {len(plan.done)} of them stored already."
    if not left:
        return line
    minutes = plan.seconds(studies.results(), count) / MINUTE
    about = f"{minutes / MINUTE:.1f} hours" if minutes > 2 * MINUTE else f"{max(minutes, 1):.0f} min"
    return f"{line} {left} to run on {workers}: about {about}, by what runs like these took before."


def _looking() -> "Progress":
    """The progress for reading the store. It takes only seconds, so it is shown only on a terminal."""
    from robustprune.base.progress import silent

    return show_progress if sys.stderr.isatty() else silent


def _progress() -> "Progress":
    """The progress of a sweep: on a terminal one line that is rewritten, elsewhere one line per finished run instead of one per second."""
    shown = -1

    def whole_runs(done: float, total: float, doing: Any, partial: Any = None) -> None:
        nonlocal shown
        if sys.stderr.isatty():
            show_progress(done, total, doing)
        elif int(done) > shown:
            shown = int(done)
            show_progress(shown, total, doing)

    return whole_runs


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Yields an event that Ctrl-C sets, so that the workers are asked to stop. A second Ctrl-C ends the program at once."""
    asked, before = threading.Event(), signal.getsignal(signal.SIGINT)

    def ask(*_: Any) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)
        print("\nStopping; Ctrl-C once more ends at once.", file=sys.stderr)

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def results(
    to: Annotated[Path | None, typer.Option(help="A file to write the table to: Parquet, or CSV where the name ends so.")] = None,
    sweep: Annotated[Path | None, typer.Option(help="Only what the sweep of this YAML file gave.")] = None,
    as_json: Json = False,
) -> None:
    """Write all results as one tidy table, with one row per run and attack. Without --to, print a short form."""
    from robustprune import studies

    table = _rows_of(sweep)
    if to:
        studies.write_results(table, to)
        show(as_json, {"rows": len(table), "file": str(to)}, f"{len(table)} rows written to {to}")
        return
    shown = table[["start", "kind", "method", "adaptive", "sparsity", "calibration", "seed", "recipe", "examples", "accuracy", "aua", "asr"]]
    show(as_json, {"rows": len(table), "results": table.astype(object).where(table.notna(), None).to_dict("records")}, shown.to_string(index=False, na_rep=""))


def _rows_of(sweep: Path | None) -> "pd.DataFrame":
    from robustprune import studies
    from robustprune.specs import sweep as specs_sweep

    return studies.sweep_results(specs_sweep.SweepSpec.read(sweep), _looking()) if sweep else studies.results(_looking())


def report(
    to: Annotated[Path, typer.Option(help="The HTML file to write.")],
    sweep: Annotated[Path | None, typer.Option(help="Only what the sweep of this YAML file gave.")] = None,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    as_json: Json = False,
) -> None:
    """Write one HTML page about the results: answers to the paper's claims, tables, figures, settings and versions."""
    from robustprune import studies
    from robustprune.base import folders, locales
    from robustprune.studies import report as report_page

    checks.one_of("language", language, locales.languages())
    rows = _rows_of(sweep)
    found = studies.answers(rows)
    with folders.file_written_whole(to) as partial:
        partial.write_text(report_page.page(rows, found, studies.shipped_sweeps(), locales.texts(language), language), encoding="utf-8")
    show(as_json, {"rows": len(rows), "answers": [one.to_json() for one in found], "file": str(to)}, f"{to}: {len(rows)} rows, {len(found)} answers")
