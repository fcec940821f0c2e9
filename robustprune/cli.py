"""The command line: each verb is one call of the lab. Results go to standard output, progress to standard error.

Exit status: 0 done, 1 failed, 2 wrong arguments or a spec that cannot be, 130 interrupted.
"""

import json
import logging
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from robustprune.errors import RobustPruneError, SpecError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Prune a language model and see what happens to its robustness."
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else there.")]
Model = Annotated[str, typer.Option(help="A built-in name (sst2-demo, ag_news-demo), else a folder, else a hub id.")]
Dataset = Annotated[str | None, typer.Option(help="A built-in name, a known name, a file, a folder or a hub id. Left out: what fits the model.")]
Seed = Annotated[int, typer.Option(help="Seed of the draw of texts.")]


@app.command()
def prune(
    model: Model,
    dataset: Dataset = None,
    method: Annotated[str, typer.Option(help="magnitude, sparsegpt or admm.")] = "admm",
    sparsity: Annotated[float, typer.Option(help="Share of zeros, 0 to 0.99.")] = 0.5,
    adaptive: Annotated[str, typer.Option(help="How layers adapt to the layers before them: none, hessian or full.")] = "full",
    scope: Annotated[str, typer.Option(help="Zeros allotted over a layer or evenly to its rows: layer or row.")] = "layer",
    calibration: Annotated[int, typer.Option(help="Number of calibration texts.")] = 512,
    ridge: Annotated[float, typer.Option(help="Pull towards the dense weight, relative to the Hessian's mean diagonal.")] = 0.01,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="A new folder to export the model to, besides the store.")] = None,
    as_json: Json = False,
) -> None:
    """Prune a model and measure it before and after."""
    from robustprune import lab
    from robustprune.spec import PruneSpec

    spec = PruneSpec(model, dataset, method, adaptive, sparsity, scope, calibration, ridge, seed)
    if out:
        lab.check_export_folder(out)
    run = lab.prune(spec, show_progress)
    model_dir = lab.export_model(run, out) if out else run.model_dir
    report = run.report.to_json()
    _print(
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
            "model_dir": str(model_dir),
        },
        f"{run.spec.model} at {run.report.sparsity:.2%} sparsity by {run.spec.method} ({run.spec.adaptive}): "
        f"accuracy {run.dense.accuracy:.3f} -> {run.sparse.accuracy:.3f} on {run.sparse.examples} texts of {run.sparse.dataset}; {model_dir}",
    )


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
    _print(as_json, result.to_json(), f"{model}: accuracy {result.accuracy:.4f} on {result.examples} texts of {result.dataset} ({result.split})")


@app.command()
def attack(
    model: Model,
    recipe: Annotated[str, typer.Option(help="The attack: textfooler.")] = "textfooler",
    text: Annotated[str | None, typer.Option(help="One text to attack; needs --label.")] = None,
    label: Annotated[int | None, typer.Option(help="The true label of --text.")] = None,
    dataset: Dataset = None,
    examples: Annotated[int, typer.Option(min=1, help="Number of evaluation texts, where no --text is given.")] = 100,
    query_budget: Annotated[int, typer.Option(help="Most queries of the model a text.")] = 1000,
    seed: Seed = 0,
    trace: Annotated[Path | None, typer.Option(help="A JSON Lines file to write the traces to.")] = None,
    as_json: Json = False,
) -> None:
    """Attack one text, or a sample of evaluation texts."""
    from robustprune import lab
    from robustprune.spec import AttackSpec

    spec = AttackSpec(recipe, query_budget, seed)
    if trace and not trace.resolve().parent.is_dir():
        raise SpecError(f"There is no folder {trace.resolve().parent} to write the trace to.")
    if text is None:
        scores, traces, texts = lab.attack_texts(model, dataset, examples, spec, show_progress)
        seconds = sum(one.seconds for one in traces)
        result = {"model": model, "dataset": texts.dataset, "split": texts.split, "resources": lab.resource_names(), **scores.to_json(), "seconds": seconds}
        rates = f"Acc {scores.acc.value:.3f}, Aua {scores.aua.value:.3f} ({scores.aua.low:.3f} to {scores.aua.high:.3f})"
        line = f"{model}: {rates} on {scores.examples} texts of {texts.dataset}"
    else:
        if label is None:
            raise SpecError("A text needs its true label. Add --label, for example --label 1.")
        one = lab.attack_text(model, text, label, spec, show_progress)
        traces, result = [one], {**one.to_json(), "original": one.text, "swaps": one.swaps}
        line = f"{one.outcome} after {one.queries} queries: {one.perturbed}"
    if trace:
        trace.write_text("".join(json.dumps(one.to_json(), ensure_ascii=False) + "\n" for one in traces), encoding="utf-8")
    _print(as_json, result, line)


@app.command()
def train(
    dataset: Annotated[str, typer.Option(help="A data set with known class names: sst2 or ag_news.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    head: Annotated[Path | None, typer.Option(help="The folder of the trained head to start from; left out, the head itself is trained.")] = None,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate of AdamW.")] = 1e-3,
    epochs: Annotated[int, typer.Option(min=1)] = 1,
    batch_size: Annotated[int, typer.Option(min=1)] = 32,
    weight_decay: float = 0.01,
    rank: Annotated[int, typer.Option(min=1, help="Rank of the LoRA adapter.")] = 8,
    seed: Annotated[int, typer.Option(help="Seed of dropout and of the order of texts.")] = 0,
    as_json: Json = False,
) -> None:
    """Train a head, or a LoRA adapter from a trained head, on the built-in backbone."""
    from robustprune import lab

    settings = {"learning_rate": learning_rate, "epochs": epochs, "batch_size": batch_size, "weight_decay": weight_decay, "seed": seed}
    if head is not None:
        settings["rank"] = rank
    command = " ".join(["python -m robustprune", *sys.argv[1:]])
    card = lab.train(dataset, out, head=head, command=command, progress=show_progress, **settings)
    _print(as_json, card, f"{out}: accuracy {card['scores']['accuracy']:.4f} on {card['scores']['examples']} texts of {dataset}")


def main() -> int:
    """Runs the command line and gives its exit status: one line on standard error says why it failed and what to do."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        return app() or 0
    except SpecError as error:
        return _fail(error, 2)
    except _Interrupted:
        return _fail("Interrupted; nothing half-done was kept.", 130)
    except (RobustPruneError, OSError) as error:
        return _fail(error, 1)


class _Interrupted(BaseException):
    """Ctrl-C. No Exception, so that no library takes it for an error of its own."""


def _interrupt(*_: Any) -> None:
    raise _Interrupted


def _fail(error: Exception | str, status: int) -> int:
    print(error, file=sys.stderr)
    return status


def _print(as_json: bool, value: dict[str, Any], line: str) -> None:
    print(json.dumps(value, ensure_ascii=False) if as_json else line)


def show_progress(done: float, total: float, text: str, partial: Any = None) -> None:
    """One line on standard error, rewritten in place on a terminal; elsewhere a line whenever a whole step is done."""
    line = f"{int(done)}/{int(total)} {text}"
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", file=sys.stderr, end="" if done < total else "\n", flush=True)
    elif done == int(done) and _last_lines[-1:] != [line]:
        _last_lines[:] = [line]
        print(line, file=sys.stderr, flush=True)


_last_lines: list[str] = []
