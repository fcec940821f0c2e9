"""The command line. Each command is one call of the lab, except ``bench``, which calls the modules below it.

Results go to standard output, progress to standard error. Exit status: 0 success, 1 failure, 2 wrong arguments or invalid settings,
130 interrupted.
"""

import logging
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from robustprune.base import logs
from robustprune.base.errors import Cancelled, RobustPruneError, SpecError, explained
from robustprune.cli.attacks import attack, recipes, resources
from robustprune.cli.bench import bench
from robustprune.cli.common import Dataset, Json, Model, Seed, Start, number_or_word, show, show_progress
from robustprune.cli.sweeps import report, results, sweep
from robustprune.cli.training import baseline, compare, soup, train
from robustprune.specs.methods import METHODS

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Prune a language model and see what happens to its robustness."
)
app.add_typer(bench, name="bench")
app.command()(attack)
app.command()(recipes)
app.command()(resources)
app.command()(train)
app.command()(soup)
app.command()(baseline)
app.command()(compare)
app.command()(sweep)
app.command()(results)
app.command()(report)


@app.command()
def prune(
    model: Start,
    dataset: Dataset = None,
    method: Annotated[str, typer.Option(help=f"One of {', '.join(METHODS)}.")] = "admm",
    sparsity: Annotated[float, typer.Option(help="Share of zeros, 0 to 0.99.")] = 0.5,
    pattern: Annotated[str | None, typer.Option(help="N:M, to keep N of every M consecutive inputs, instead of a sparsity.")] = None,
    adaptive: Annotated[str, typer.Option(help="How layers adapt to the layers before them: none, hessian or full.")] = "full",
    scope: Annotated[str | None, typer.Option(help="Zeros allotted over a layer or evenly to its rows: layer or row. Left out: as the method has it.")] = None,
    calibration: Annotated[int, typer.Option(help="Number of calibration texts.")] = 512,
    ridge: Annotated[str, typer.Option(help="Pull towards the dense weight, relative to the Hessian's mean diagonal; or auto: by held-out texts.")] = "0.01",
    allocation: Annotated[str, typer.Option(help="How the layers share the zeros: uniform, or error, so that their errors add up to least.")] = "uniform",
    layer_sparsity: Annotated[list[str] | None, typer.Option(help="NAME=SHARE, such as block.0=0.2 or block.2.output.dense=0.9. May be given again.")] = None,
    residual: Annotated[bool, typer.Option(help="Let the last layer of a block make up for the error on the residual path too.")] = True,
    refit_head: Annotated[bool, typer.Option(help="Refit pooler and classifier where held-out texts say that it helps.")] = False,
    seed: Seed = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: CUDA where there is one.")] = "auto",
    out: Annotated[Path | None, typer.Option(help="A new folder to export the model to, besides the store.")] = None,
    as_json: Json = False,
) -> None:
    """Prune a model and measure its accuracy before and after."""
    from robustprune import lab
    from robustprune.specs.prune import PruneSpec, parse_layer_sparsities

    spec = PruneSpec(
        model, dataset, method, adaptive, sparsity, pattern, scope, calibration, number_or_word(ridge), allocation,
        parse_layer_sparsities(" ".join(layer_sparsity or ())), residual, refit_head, seed,
    )  # fmt: skip
    if out:
        lab.check_export_folder(out)
    run = lab.prune(spec, show_progress, device=device)
    model_dir = lab.export_model(run, out) if out else run.model_dir
    report = run.report.to_json()
    show(
        as_json,
        {
            "digest": run.digest,
            "spec": run.spec.to_json(),
            "dataset": run.spec.dataset,
            "source": run.source,
            "calibration": report.pop("calibration") + report["held_out"],
            **report,
            "dense": run.dense.to_json(),
            "sparse": run.sparse.to_json(),
            "made": run.made,
            "model_dir": str(model_dir),
        },
        f"{run.spec.model} at {run.report.sparsity:.2%} sparsity by {run.spec.method} ({run.spec.adaptive}): "
        f"accuracy {run.dense.accuracy:.3f} -> {run.sparse.accuracy:.3f} on {run.sparse.examples} texts of {run.sparse.dataset}; {model_dir}",
    )


@app.command()
def compress(
    model: Model,
    out: Annotated[Path, typer.Option(help="A new folder to write to.")],
    as_json: Json = False,
) -> None:
    """Write a pruned model in compressed form: one bit per zero and 16 bits per other weight. --model accepts the new folder."""
    from robustprune import lab

    sizes = lab.compress(model, out, show_progress)
    line = f"{out}: {sizes.compressed_bytes / 1e6:.1f} MB, against {sizes.dense_bytes / 1e6:.1f} MB in float32 and {sizes.half_bytes / 1e6:.1f} MB in float16"
    show(as_json, {"model": model, "model_dir": str(out), **sizes.to_json()}, line)


@app.command()
def speed(
    model: Model,
    dense: Annotated[str | None, typer.Option(help="The dense model to compare with; of a stored run it is known.")] = None,
    dataset: Dataset = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts that are read together.")] = 1,
    as_json: Json = False,
) -> None:
    """Time a pruned model in three forms: as exported, read back from the compressed file, and with kernels that skip zeros."""
    from robustprune import lab

    report, sizes = lab.measure_speed(model, dense, dataset, batch_size, show_progress)
    rows = [f"{one.name:15} {one.median_ms:8.2f} ms a text ({one.low_ms:.2f} to {one.high_ms:.2f})" for one in report.latencies]
    show(as_json, {"model": model, **report.to_json(), "sizes": sizes.to_json()}, "\n".join(rows))


@app.command()
def evaluate(
    model: Model,
    dataset: Dataset = None,
    examples: Annotated[int, typer.Option(min=1, help="Number of texts.")] = 100_000,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Measure a model's accuracy."""
    from robustprune import lab

    result = lab.evaluate(model, dataset, examples, seed, show_progress)
    show(as_json, result.to_json(), f"{model}: accuracy {result.accuracy:.4f} on {result.examples} texts of {result.dataset} ({result.split})")


def main() -> int:
    """Runs the command line and returns its exit status. On failure, one line on standard error gives the reason and what to do."""
    shown = logging.StreamHandler(sys.stderr)
    shown.setLevel(logging.WARNING)  # messages below this level go only to the log file
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[shown])
    signal.signal(signal.SIGINT, _interrupt)
    try:
        logs.begin()
        return app() or 0
    except SpecError as error:
        return _fail(error, 2)
    except _Interrupted:
        return _fail("Interrupted; nothing half-done was kept. An attack on many texts or a training goes on where it stopped when it is asked for again.", 130)
    except Cancelled as error:
        return _fail(error, 130)
    except Exception as error:
        known = explained(error)
        if not isinstance(known, RobustPruneError | OSError):
            raise
        return _fail(known, 1)


class _Interrupted(BaseException):
    """Raised on Ctrl-C. It is not an Exception, so that no library catches it as one of its own errors."""


def _interrupt(*_: Any) -> None:
    raise _Interrupted


def _fail(error: Exception | str, status: int) -> int:
    print(error, file=sys.stderr)
    return status
