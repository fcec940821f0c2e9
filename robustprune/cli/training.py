"""Training on the command line: heads, adapters and whole models."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from robustprune.cli.common import Json, show, show_progress
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
