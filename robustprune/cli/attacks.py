"""The commands about attacks: attack, recipes, resources."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from robustprune.base.errors import SpecError, StoreError
from robustprune.cli.common import Dataset, Json, Seed, show, show_progress
from robustprune.specs.recipes import PERTURBATIONS, RECIPES, about

if TYPE_CHECKING:
    from robustprune.attacks.samples import AttackRun
    from robustprune.specs.attack import AttackSpec

Models = Annotated[
    list[str],
    typer.Option(help="A built-in name (sst2-soup, sst2-demo, ag_news-...), run:DIGEST of a stored run, else a folder, else a hub id. Again: side by side."),
]


def attack(
    model: Models,
    recipe: Annotated[list[str], typer.Option(help=f"{', '.join(RECIPES)}. Again: one after the other.")] = ("textfooler",),
    text: Annotated[str | None, typer.Option(help="One text to attack; needs --label.")] = None,
    label: Annotated[int | None, typer.Option(help="The true label of --text.")] = None,
    dataset: Dataset = None,
    examples: Annotated[int, typer.Option(min=1, help="Number of evaluation texts, where no --text is given.")] = 100,
    query_budget: Annotated[int, typer.Option(help="Most queries of the model a text.")] = 1000,
    word_budget: Annotated[int | None, typer.Option(help="Most words changed in a text.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Most seconds a text; one that takes longer is stopped and left out of the rates.")] = None,
    resources: Annotated[str, typer.Option(help="auto: the published resources where they are here; built-in: those that are on any machine.")] = "auto",
    synonyms: Annotated[str | None, typer.Option(help="A file of synonym pairs, two words a line, as the only source of synonyms.")] = None,
    masked_lm: Annotated[str | None, typer.Option(help="The masked language model of bert-attack and bae: a folder or a hub id.")] = None,
    perturbation: Annotated[str | None, typer.Option(help=f"How bad-characters perturbs: {', '.join(PERTURBATIONS)}.")] = None,
    seed: Seed = 0,
    trace: Annotated[Path | None, typer.Option(help="A JSON Lines file to write the traces to, as they come.")] = None,
    as_json: Json = False,
) -> None:
    """Attack one text, or a sample of evaluation texts. The attack on a sample continues where an earlier call was interrupted."""
    from robustprune import lab
    from robustprune.attacks.traces import journal
    from robustprune.specs.attack import AttackSpec

    specs = [AttackSpec(name, query_budget, word_budget, seconds, resources, synonyms, masked_lm, perturbation, seed) for name in recipe]
    if trace and not trace.resolve().parent.is_dir():
        raise SpecError("cli.no_folder_for_trace", folder=trace.resolve().parent)
    if trace and len(specs) > 1 and text is None:
        raise SpecError("cli.one_recipe_a_trace")
    if text is not None and dataset is not None:
        raise SpecError("cli.text_or_dataset")
    if text is None and label is not None:
        raise SpecError("cli.label_without_text")
    for spec in specs:
        _tell_resources(spec)
    if text is None:
        runs = [lab.attack_texts(model, dataset, examples, spec, show_progress, out=trace) for spec in specs]
        _show_runs(as_json, runs)
        return
    if label is None:
        raise SpecError("cli.text_without_label")
    target = journal.TraceFile(trace, keep=False) if trace else None  # opened first: fails before the attack, not after it
    traces = [one for spec in specs for one in lab.attack_side_by_side(model, text, label, spec, show_progress)]
    lines = [f"{one.victim['name']}, {one.recipe}: {one.outcome} after {one.queries} queries: {_printable(one.perturbed)}" for one in traces]
    documents = [{**one.to_json(), "original": one.text, "swaps": one.swaps} for one in traces]
    show(as_json, documents[0] if len(documents) == 1 else {"attacks": documents}, "\n".join(lines))
    if target:
        with contextlib.closing(target):
            for one in traces:
                target.append(one)


def _printable(text: str) -> str:
    """Escapes control characters in a text, which a terminal would otherwise execute."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def recipes(as_json: Json = False) -> None:
    """List the attack recipes: what each does, and whether it can run on this machine."""
    from robustprune import lab
    from robustprune.specs.attack import AttackSpec

    rows = []
    for name, recipe in RECIPES.items():
        missing = [one.to_json() for one in lab.missing_resources(AttackSpec(name))]
        can_run = all(one["instead"] for one in missing)
        sentences = {language: about(name, language) for language in ("en", "zh")}
        rows.append({"name": name, "source": recipe.source, "about": sentences, "can_run": can_run, "missing": missing, "needs": sorted(recipe.needs)})
    lines = [
        f"{row['name']:16} {row['about']['en']} [{row['source']}]"
        + "".join(f"\n{'':16} not here: {one['name']} ({one['how']}){'; instead: ' + one['instead'] if one['instead'] else ''}" for one in row["missing"])
        for row in rows
    ]
    show(as_json, {"recipes": rows}, "\n".join(lines))


def resources(
    get: Annotated[list[str], typer.Option(help="What to download: counter-fitted, tagger, tagset, wordnet. May be given again.")] = (),
    seconds: Annotated[float, typer.Option(help="Most seconds a download.")] = 600.0,
    as_json: Json = False,
) -> None:
    """Show which published resources are on this machine, or download them."""
    from robustprune import lab
    from robustprune.attacks.resources import downloads

    for name in get:
        lab.get_resource(name, show_progress, seconds=seconds)
    rows = [{"name": name, "about": str(one.about), "here": downloads.installed(name) is not None} for name, one in downloads.DOWNLOADS.items()]
    lines = [f"{row['name']:16} {'here' if row['here'] else 'missing':8} {row['about']}" for row in rows]
    show(as_json, {"resources": rows}, "\n".join(lines))


def _tell_resources(spec: "AttackSpec") -> None:
    """Prints, before the attacks start, which published resources are missing and what is used instead."""
    from robustprune import lab

    for one in lab.missing_resources(spec):
        if one.instead:
            print(f"{spec.recipe}: {one.name} is not on this machine ({one.how}); used instead: {one.instead}.", file=sys.stderr)


def _show_runs(as_json: bool, runs: "list[list[AttackRun]]") -> None:
    """Prints one run as a flat object, or several runs as rows of a table with comparisons between the models."""
    from robustprune import lab
    from robustprune.attacks.scores import compare

    rows = [run for of_recipe in runs for run in of_recipe]
    comparisons: list[dict[str, Any]] = []
    for of_recipe in runs:
        first, *others = of_recipe
        for other in others:
            who = {"recipe": first.spec.recipe, "first": first.model, "second": other.model}
            transfer = lab.transfer([first, other], show_progress)
            comparisons.append({**who, **compare(first.results, other.results).to_json(), "transfer": transfer.to_json()})
    document = rows[0].to_json() if len(rows) == 1 else {"runs": [run.to_json() for run in rows], "comparisons": comparisons}
    show(as_json, document, "\n".join([_table(rows), *map(_comparison_line, comparisons)]))
    troubles = list(dict.fromkeys(trouble for run in rows for trouble in run.troubles))
    if troubles:
        raise StoreError("cli.done_but", troubles=" ".join(troubles))


def _table(runs: "list[AttackRun]") -> str:
    from robustprune.base.rates import NOTHING

    heads = ("model", "recipe", "N", "Acc", "Aua", "Asr", "queries", "words", "similarity", "seconds")
    rows = [heads]
    for run in runs:
        scores = run.scores
        shown = (scores.acc, scores.aua, scores.asr) if RECIPES[run.spec.recipe].flips else (scores.acc, NOTHING, NOTHING)
        rates = (f"{rate.value:.1%} [{rate.low:.1%}, {rate.high:.1%}]" if rate.value is not None else "-" for rate in shown)
        similarity = "-" if scores.similarity_mean is None else f"{scores.similarity_mean:.2f}"
        left_out = f" (+{scores.stopped} stopped, {scores.failed} failed)" if not scores.complete else ""
        rest = (f"{scores.queries_mean:.1f}", f"{scores.words_changed_mean:.1%}", similarity, f"{run.seconds:.1f}")
        rows.append((run.model, run.spec.recipe, f"{scores.examples}{left_out}", *rates, *rest))
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _comparison_line(one: dict[str, Any]) -> str:
    crossed = [cell for cell in one["transfer"]["cells"] if cell["source"] != cell["target"]]
    transfers = "; ".join(f"of the texts that fool {cell['source']}, {cell['fooled']} of {cell['texts']} fool {cell['target']}" for cell in crossed)
    held = f"only {one['first']} held on {one['only_first']} texts, only {one['second']} on {one['only_second']}"
    interval = f"[{one['aua_difference_low']:+.1%}, {one['aua_difference_high']:+.1%}]"
    return f"{one['recipe']}: Aua differs by {one['aua_difference']:+.1%} {interval} ({held}; McNemar p = {one['p']:.3f}); {transfers}"
