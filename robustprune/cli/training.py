"""Training on the command line: heads, adapters and whole models."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from robustprune.cli.common import Json, Seed, show, show_progress
from robustprune.training_specs import OPTIMISERS, PRECISIONS, FreeLB, TrainSpec

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
    """The command as it was typed, for the card."""
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
    """Train a head on the built-in backbone; with --head an adapter from that head; with --model any classifier. What was interrupted goes on."""
    from robustprune import lab

    adversary = FreeLB(freelb, freelb_step, freelb_start, freelb_norm)
    spec = TrainSpec(rank, learning_rate, optimiser, epochs, rows, held_out, batch_size, weight_decay, precision, adversary, seed)
    card = lab.train(dataset, out, spec, head=head, model=model, command=command_line(), device=device, progress=show_progress)
    show_card(as_json, out, card)


def show_card(as_json: bool, out: Path, card: dict[str, Any]) -> None:
    """What was trained."""
    scores = card["scores"]
    show(as_json, {**card, "model_dir": str(out)}, f"{out}: accuracy {scores['accuracy']:.4f} on {scores['examples']} texts ({scores['split']})")


def soup(
    dataset: Annotated[str, typer.Option(help="What the ingredients were trained on: sst2, ag_news, or their demo texts demo-reviews, demo-news.")],
    ingredient: Annotated[list[str] | None, typer.Option(help="A model to choose from; may be given again. Left out: those that ship.")] = None,
    examples: Annotated[int, typer.Option(min=1, help="Number of texts to choose by, and to report on.")] = 100,
    recipe: Annotated[str, typer.Option(help="The attack that the models are to withstand.")] = "textfooler",
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="A new folder to write the model to.")] = None,
    recipe_out: Annotated[Path | None, typer.Option(help="A folder to write only a card to, which names the ingredients; they must ship.")] = None,
    as_json: Json = False,
) -> None:
    """Average models into a robust dense one: greedily, by accuracy under attack on held-out training texts (Li et al. 2023, Alg. 3)."""
    from robustprune import lab
    from robustprune.spec import AttackSpec

    if out:
        lab.check_export_folder(out)
    run = lab.soup(dataset, ingredient, examples, AttackSpec(recipe, seed=seed), show_progress)
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
