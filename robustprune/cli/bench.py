"""The command ``bench``: repeats the measurements behind the program's claims."""

from pathlib import Path
from typing import Annotated

import typer

from robustprune.base.errors import SpecError
from robustprune.cli.common import Dataset, Json, Seed, Start, number_or_word, show, tell

bench = typer.Typer(no_args_is_help=True, help="Measure anew what the program claims about its speed and its errors.")


@bench.command("solver")
def bench_solver(model: Start = "sst2-demo", dataset: Dataset = None, as_json: Json = False) -> None:
    """Compare the errors of admm, obs and sparsegpt, and their times with the textbook loop. Takes about five minutes."""
    from robustprune.bench import solver

    result = solver.measure(model, dataset, tell)
    ratios = {key: value for key, value in result.items() if isinstance(value, float)}
    show(as_json, result, "\n".join(f"{key}: {value:.3f}" for key, value in ratios.items()))


@bench.command("prune")
def bench_prune(
    model: Start = "sst2-demo",
    dataset: Dataset = None,
    method: str = "admm",
    sparsity: float = 0.5,
    adaptive: str = "full",
    calibration: int = 512,
    device: str = "auto",
    as_json: Json = False,
) -> None:
    """Compare the seconds for pruning a model with the floor: two forward passes and the moments."""
    from robustprune.bench import prune
    from robustprune.specs.prune import PruneSpec

    spec = PruneSpec(model, dataset, method, adaptive, sparsity, calibration=calibration)
    result = prune.measure(spec, device, tell)
    show(as_json, result, f"seconds_over_floor: {result['seconds_over_floor']:.2f}")


@bench.command("attack")
def bench_attack(
    model: Start = "sst2-demo",
    dataset: Dataset = None,
    recipe: str = "textfooler",
    examples: Annotated[int, typer.Option(min=1)] = 20,
    repeats: Annotated[int, typer.Option(min=1)] = 3,
    query_budget: int = 1000,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Compare our attacks with TextAttack's own classes and wrapper: seconds, and whether the results are identical. Takes about five minutes."""
    from robustprune.bench import attack
    from robustprune.specs.attack import AttackSpec

    result = attack.measure(model, dataset, AttackSpec(recipe, query_budget, seed=seed), examples, repeats, tell)
    ratios = f"stock over ours {result['stock_over_ours_seconds']:.1f}, ours over victim {result['seconds_over_victim']:.2f}"
    show(as_json, result, f"{ratios}, identical: {result['identical']}, a look at least every {result['longest_seconds_between_looks']:.2f} s")


@bench.command("synonyms")
def bench_synonyms(
    lexicon: Annotated[Path, typer.Option(help="A folder with ppdb_synonyms.txt, ppdb_antonyms.txt and wordnet_antonyms.txt, two words a line.")],
    dataset: Dataset = None,
    as_json: Json = False,
) -> None:
    """Measure the quality of the built-in synonyms and sentence similarity with an external lexicon. Takes about a minute."""
    from robustprune.bench import lexicon as bench_lexicon

    result = bench_lexicon.measure(lexicon, dataset, tell)
    show(as_json, result, f"recommended: {result['recommended']}")


@bench.command("believable")
def bench_believable(
    dataset: Dataset = "demo-reviews",
    examples: Annotated[int, typer.Option(min=1)] = 200,
    seed: Seed = 0,
    lexicon: Annotated[Path | None, typer.Option(help="A folder with ppdb_synonyms.txt, ppdb_antonyms.txt and wordnet_antonyms.txt.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="A folder for what readers judge: candidates.json, swaps.json, texts.json.")] = None,
    traces: Annotated[list[Path], typer.Option(help="Traces of attacks, for the sheet; may be given again.")] = (),
    as_json: Json = False,
) -> None:
    """Count what can be counted of the near-synonyms: coverage, other forms, opposites, senses. Takes about a minute."""
    from robustprune.attacks.traces import journal
    from robustprune.bench import believable

    if (sheet is None) != (not traces):
        raise SpecError("cli.sheet_needs_traces")
    result = believable.measure(dataset, examples, seed, lexicon, tell)
    if sheet is not None:
        result["sheet"] = believable.write_sheet((trace for path in traces for trace in journal.read(path)), sheet, seed)
    show(as_json, result, f"coverage {result['coverage']:.1%}, {result['candidates_mean']:.2f} candidates a word, other forms {result['inflections']:.1%}")


@bench.command("accuracy")
def bench_accuracy(
    model: Start = "sst2-demo",
    dataset: Dataset = None,
    method: Annotated[list[str], typer.Option(help="May be given again, as all of these.")] = ("sparsegpt", "admm"),
    sparsity: Annotated[list[float], typer.Option()] = (0.5, 0.875),
    ridge: Annotated[list[str], typer.Option()] = ("1e-4", "1e-3", "1e-2", "1e-1", "auto"),
    calibration: Annotated[list[int], typer.Option()] = (512, 2048),
    seed: Annotated[list[int], typer.Option()] = (0,),
    residual: bool = True,
    refit_head: bool = False,
    allocation: str = "uniform",
    as_json: Json = False,
) -> None:
    """Measure held-out errors and accuracies over method, ridge and number of texts. Takes half an hour with the default lists."""
    import itertools

    from robustprune.bench import accuracy
    from robustprune.specs.prune import PruneSpec

    grid = itertools.product(sparsity, calibration, map(number_or_word, ridge), method, seed)
    fixed = {"residual": residual, "refit_head": refit_head, "allocation": allocation}
    specs = [PruneSpec(model, dataset, how, sparsity=share, calibration=count, ridge=pull, seed=draw, **fixed) for share, count, pull, how, draw in grid]
    rows = accuracy.measure(specs, tell)
    show(as_json, {"rows": rows}, f"{len(rows)} rows")
