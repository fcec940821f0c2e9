"""The commands about training: train, soup, baseline, compare."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from robustprune.cli.common import Json, Seed, show, show_progress
from robustprune.specs.methods import METHODS
from robustprune.specs.train import BASELINE_FREELB, BASELINE_NAMES, BASELINE_ROWS, OPTIMISERS, PRECISIONS, BaselineSpec, FreeLB, StartFrom, TrainSpec

if TYPE_CHECKING:
    from robustprune.lab.tables import Row

Out = Annotated[Path, typer.Option(help="The folder to write to; one that a training wrote before gives way once the new one is whole.")]
Head = Annotated[Path | None, typer.Option(help="The folder of the trained head to start from.")]
LearningRate = Annotated[float | None, typer.Option(help="Peak learning rate. Left out: 1e-3 for a head or an adapter, 3e-5 for all weights.")]
Optimiser = Annotated[str, typer.Option(help=f"One of {', '.join(OPTIMISERS)}.")]
Rank = Annotated[int, typer.Option(help="Rank of the LoRA adapter; 0 trains all weights but the embeddings.")]
Rows = Annotated[int | None, typer.Option(help="Number of training texts, drawn with the seed. Left out: all.")]
HeldOut = Annotated[int, typer.Option(help="Training texts to leave out, with all that overlap them, for the choice between models.")]
Precision = Annotated[str, typer.Option(help=f"One of {', '.join(PRECISIONS)}; bfloat16 is faster on CPUs with AMX and on CUDA.")]
Steps = Annotated[int, typer.Option("--freelb", help="Ascent steps of FreeLB, which trains adversarially in the embedding space; 0: plain training.")]
StepSize = Annotated[float, typer.Option("--freelb-step", help="Length of an ascent step, over all token embeddings of a text.")]
StartSize = Annotated[float, typer.Option("--freelb-start", help="Size of the random perturbation that the ascent starts from.")]
MaxNorm = Annotated[float, typer.Option("--freelb-norm", help="Longest perturbation; 0: as far as the steps carry it.")]
TrainSeed = Annotated[int, typer.Option("--seed", help="Seed of the draw of texts, their order, dropout and perturbations.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, or auto: CUDA where there is one.")]
TrainData = Annotated[str, typer.Option("--dataset", help="What to train on: a known name, a folder or a file. A new head needs sst2 or ag_news.")]


def command_line() -> str:
    """The command as the user typed it, for the model's card."""
    return shlex.join(["python", "-m", "robustprune", *sys.argv[1:]])


def train(
    dataset: TrainData,
    out: Out,
    head: Head = None,
    model: Annotated[str | None, typer.Option(help="A model to fine-tune instead: a built-in name, a folder, or a hub id.")] = None,
    learning_rate: LearningRate = None,
    optimiser: Optimiser = "adamw",
    epochs: Annotated[int, typer.Option(min=1)] = 1,
    rows: Rows = None,
    held_out: HeldOut = 0,
    batch_size: Annotated[int, typer.Option(min=1)] = 32,
    weight_decay: float = 0.01,
    rank: Rank = 8,
    freelb: Steps = 0,
    freelb_step: StepSize = FreeLB.step_size,
    freelb_start: StartSize = FreeLB.start,
    freelb_norm: MaxNorm = FreeLB.max_norm,
    precision: Precision = "float32",
    seed: TrainSeed = 0,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Train a head on the built-in backbone; with --head, an adapter from that head; with --model, any classifier. Continues an interrupted training."""
    from robustprune import lab

    adversary = FreeLB(freelb, freelb_step, freelb_start, freelb_norm)
    spec = TrainSpec(rank, learning_rate, optimiser, epochs, rows, held_out, batch_size, weight_decay, precision, adversary, seed)
    card = lab.train(dataset, out, spec, StartFrom(head, model), command=command_line(), device=device, progress=show_progress)
    show_card(as_json, out, card)


def show_card(as_json: bool, out: Path, card: dict[str, Any]) -> None:
    """Prints the card of a trained model, or its accuracy as a line of text."""
    scores = card["scores"]
    show(as_json, {**card, "model_dir": str(out)}, f"{out}: accuracy {scores['accuracy']:.4f} on {scores['examples']} texts ({scores['split']})")


def soup(
    dataset: Annotated[str, typer.Option(help="What the ingredients were trained on: sst2, ag_news, or their demo texts demo-reviews, demo-news.")],
    ingredient: Annotated[list[str] | None, typer.Option(help="A model to choose from; may be given again. Left out: those that ship.")] = None,
    examples: Annotated[int, typer.Option(min=1, help="Number of evaluation texts to report on.")] = 100,
    choose_by: Annotated[int, typer.Option(min=1, help="Number of held-out training texts to choose by.")] = 100,
    recipe: Annotated[str, typer.Option(help="The attack that the models are to withstand.")] = "textfooler",
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="A new folder to write the model to.")] = None,
    recipe_out: Annotated[Path | None, typer.Option(help="A folder to write only a card to, which names the ingredients; they must ship.")] = None,
    as_json: Json = False,
) -> None:
    """Average models greedily into a robust dense model, by accuracy under attack on held-out training texts (Li et al. 2023, Alg. 3)."""
    from robustprune import lab
    from robustprune.specs.attack import AttackSpec

    if out:
        lab.check_export_folder(out)
    run = lab.soup(dataset, ingredient, examples, choose_by, AttackSpec(recipe, seed=seed), show_progress)
    model_dir = lab.export_average(run, out, show_progress) if out else None
    if recipe_out:
        model_dir = lab.write_recipe(run, recipe_out, command_line())
    lines = [
        f"{'kept   ' if step.kept else 'refused'} {step.name}: alone {step.alone.aua:.3f}, average with it {step.together.aua:.3f}"
        + (f", without {step.before.aua:.3f}" if step.before else "")
        for step in run.steps
    ]
    scores = run.reported[run.model]
    lines.append(
        f"{len(run.kept)} of {len(run.steps)} kept by {run.chosen_by['examples']} held-out training texts. On {scores['examples']} texts "
        f"({run.evaluated_on['split']}): accuracy {scores['acc']:.3f}, under attack {scores['aua']:.3f} [{scores['aua_low']:.3f}, {scores['aua_high']:.3f}]"
    )
    show(as_json, {**run.to_json(), "model": run.model, "model_dir": str(model_dir) if model_dir else None}, "\n".join(lines))


def baseline(
    dataset: TrainData,
    method: Annotated[str, typer.Option(help="imp: iterative magnitude pruning; lth: with the weights rewound after every round.")] = "imp",
    sparsity: Annotated[float, typer.Option(help="Share of zeros in the end, over the encoder's linear layers.")] = 0.5,
    rounds: Annotated[int, typer.Option(min=1, help="How many times is pruned; after the last, the model is trained once more.")] = 3,
    head: Head = None,
    model: Annotated[str | None, typer.Option(help="A model to start from instead of the data set's head.")] = None,
    learning_rate: LearningRate = None,
    optimiser: Optimiser = "adamw",
    epochs: Annotated[int, typer.Option(min=1, help="Of every round.")] = 1,
    rows: Rows = BASELINE_ROWS,
    held_out: HeldOut = 0,
    batch_size: Annotated[int, typer.Option(min=1)] = 32,
    weight_decay: float = 0.01,
    rank: Rank = 8,
    freelb: Steps = 0,
    freelb_step: StepSize = FreeLB.step_size,
    freelb_start: StartSize = FreeLB.start,
    freelb_norm: MaxNorm = FreeLB.max_norm,
    precision: Precision = "float32",
    seed: TrainSeed = 0,
    device: Device = "auto",
    out: Annotated[Path | None, typer.Option(help="A folder to copy the result to; one that was written here before gives way.")] = None,
    as_json: Json = False,
) -> None:
    """Prune by magnitude and retrain with a fixed mask: IMP or LTH, plain or with FreeLB. Continues an interrupted training."""
    from robustprune import lab

    adversary = FreeLB(freelb, freelb_step, freelb_start, freelb_norm)
    train_spec = TrainSpec(rank, learning_rate, optimiser, epochs, rows, held_out, batch_size, weight_decay, precision, adversary, seed)
    spec = BaselineSpec(method, sparsity, rounds, train_spec)
    made = lab.retrain(dataset, spec, StartFrom(head, model), command=command_line(), device=device, progress=show_progress)
    show_card(as_json, lab.export_retrained(made, out) if out else made.model_dir, {**made.card, "model": made.ref})


def compare(
    dataset: Annotated[str, typer.Option(help="Where texts come from: for calibration and training its training split, for attacks validation or test.")],
    model: Annotated[str, typer.Option(help="The dense model that is pruned, and that all others are compared with.")],
    other: Annotated[list[str] | None, typer.Option(help="Another model to attack beside it; may be given again.")] = None,
    method: Annotated[list[str] | None, typer.Option(help=f"A pruning method, one of {', '.join(METHODS)}; may be given again.")] = None,
    baseline: Annotated[list[str] | None, typer.Option(help=f"A retrained baseline, one of {', '.join(BASELINE_NAMES)}; may be given again.")] = None,
    sparsity: Annotated[float, typer.Option(help="Share of zeros of methods and baselines.")] = 0.5,
    examples: Annotated[int, typer.Option(min=1, help="Number of texts that are attacked.")] = 200,
    recipe: Annotated[str, typer.Option(help="The attack.")] = "textfooler",
    calibration: Annotated[int, typer.Option(help="Number of calibration texts of the methods.")] = 512,
    rows: Annotated[int, typer.Option(help="Training texts of every round of a baseline.")] = BASELINE_ROWS,
    precision: Precision = "float32",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Compare methods with one start, the same texts and one seed, as in the paper's Table 1: accuracy, accuracy under attack and cost.

    The compare page shows the table.
    """
    from robustprune import lab
    from robustprune.specs.attack import AttackSpec
    from robustprune.specs.compare import CompareSpec
    from robustprune.specs.prune import PruneSpec

    prunings = [
        PruneSpec(model, dataset, name, METHODS[name].adaptive if name in METHODS else "full", sparsity, calibration=calibration, seed=seed)
        for name in method or ()
    ]
    plain, adversarial = (TrainSpec(rows=rows, precision=precision, freelb=FreeLB(steps), seed=seed) for steps in (0, BASELINE_FREELB))
    baselines = [BaselineSpec.named(name, sparsity, plain, adversarial) for name in baseline or ()]
    spec = CompareSpec(model, dataset, other or (), prunings, baselines, examples, AttackSpec(recipe, seed=seed))
    table = lab.compare(spec, command_line(), show_progress)
    show(as_json, table.to_json(), "\n".join(_line(row) for row in table.rows))


def _line(row: "Row") -> str:
    scores, cost = row.scores, "" if row.seconds is None else f", {row.seconds:.0f} s{', retrains' if row.retrains else ''}"
    rates = "  ".join(f"{key} {scores[key]:.3f} [{scores[f'{key}_low']:.3f}, {scores[f'{key}_high']:.3f}]" for key in ("acc", "aua", "asr"))
    against = row.against_first
    lead = f"{against['aua_difference']:+.3f} [{against['aua_difference_low']:+.3f}, {against['aua_difference_high']:+.3f}]"
    return f"{row.name:20} {rates}  aua less the first's {lead}  p {against['p']:.3f}{cost}"
