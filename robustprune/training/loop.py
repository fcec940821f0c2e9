"""The training loop: trains the trainable parameters of a model, plainly or adversarially, and can continue an interrupted training."""

import random
import time
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

from robustprune.base.errors import Cancelled, ModelError
from robustprune.base.messages import say
from robustprune.base.progress import Progress
from robustprune.models import inference
from robustprune.specs.train import TrainSpec
from robustprune.texts.datasets import Texts
from robustprune.training import batches, freelb
from robustprune.training.checkpoint import Checkpoint, State
from robustprune.training.draws import seeded

WARMUP = 0.06
MOMENTUM = 0.9
LONGEST_GRADIENT = 1.0
# The weight of one step in the running mean of the loss.
SMOOTHING = 0.02


def fit(
    model: torch.nn.Module, base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Texts, spec: TrainSpec, checkpoint: Checkpoint, progress: Progress
) -> None:
    """Trains in place every parameter of ``model`` that requires a gradient, for ``spec.epochs`` epochs over ``texts``.

    Args:
        model: ``base`` itself, or an adapter around it. It computes the logits of a batch.
        checkpoint: the checkpoint. If it holds a state of these weights, the training continues from this state. The caller removes the
            checkpoint after the result is saved.
        progress: called at every step; its partial is the running mean of the loss.

    Raises:
        Cancelled: ``progress`` raised it; the state has been saved.
        ModelError: the loss or a weight is NaN or infinite.
    """
    with seeded(spec.seed, base.device):
        _fit(model, base, tokenizer, texts, spec, checkpoint, progress)


def _fit(
    model: torch.nn.Module, base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Texts, spec: TrainSpec, checkpoint: Checkpoint, progress: Progress
) -> None:
    place = base.device
    weights = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    optimiser = _optimiser(list(weights.values()), spec)
    encoded = inference.encode(base, tokenizer, texts.texts)
    lengths, targets = [len(ids) for ids in encoded["input_ids"]], torch.tensor(texts.labels)
    steps = spec.epochs * -(-len(texts) // spec.batch_size)
    step, running, before, started = 0, 0.0, 0.0, time.perf_counter()
    if (state := checkpoint.load()) and state.fits(weights):
        state.restore(weights, optimiser)
        step, running, before = state.step, state.loss, state.seconds

    def keep(step: int, running: float) -> None:
        checkpoint.save(State.of(step, before + time.perf_counter() - started, running, weights, optimiser, place))

    model.train()
    for rows in _rows(lengths, spec, skip=step):
        batch = inference.pad(tokenizer, encoded, rows).to(place)
        _set_rate(optimiser, spec.learning_rate * _schedule(step, steps))
        optimiser.zero_grad()
        loss = _backward(model, base, batch, targets[rows].to(place), spec)
        torch.nn.utils.clip_grad_norm_(weights.values(), LONGEST_GRADIENT)
        optimiser.step()
        step, running = step + 1, (1 - SMOOTHING) * running + SMOOTHING * loss
        if not loss < float("inf"):
            raise ModelError("training.fell_apart_at_step", step=step, steps=steps, loss=loss)
        try:
            mean = running / (1 - (1 - SMOOTHING) ** step)
            progress(step, steps, say("training.step", step=step, steps=steps, loss=mean), mean)
        except Cancelled:
            keep(step, running)
            raise
        if checkpoint.due():
            keep(step, running)
    if not all(weight.isfinite().all() for weight in weights.values()):
        raise ModelError("training.fell_apart_at_last_step")
    keep(step, running)
    model.eval()


def _backward(model: torch.nn.Module, base: PreTrainedModel, batch: BatchEncoding, targets: Tensor, spec: TrainSpec) -> float:
    """Adds the gradients of a batch to the gradients of the weights. Returns the loss of the batch."""

    def loss_of(inputs: BatchEncoding) -> Float[Tensor, ""]:
        with torch.autocast(base.device.type, torch.bfloat16, enabled=spec.precision == "bfloat16"):
            logits = model(**inputs).logits
        return cross_entropy(logits.float(), targets)

    if spec.freelb.steps:
        return freelb.backward(base, batch, loss_of, spec.freelb)
    loss = loss_of(batch)
    loss.backward()
    return loss.item()


def _optimiser(weights: list[Tensor], spec: TrainSpec) -> torch.optim.Optimizer:
    settings = {"lr": spec.learning_rate, "weight_decay": spec.weight_decay, "fused": True}
    if spec.optimiser == "sgd":
        return torch.optim.SGD(weights, momentum=MOMENTUM, **settings)
    return {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[spec.optimiser](weights, **settings)


def _rows(lengths: list[int], spec: TrainSpec, skip: int) -> Iterator[list[int]]:
    """Yields the batches of all epochs, without the first ``skip`` batches."""
    shuffle, number = random.Random(spec.seed), 0
    for _ in range(spec.epochs):
        for rows in batches.shuffled(lengths, spec.batch_size, shuffle):
            number += 1
            if number > skip:
                yield rows


def _schedule(step: int, steps: int) -> float:
    """Returns the learning rate as a share of its peak: it rises linearly during the warm-up, then falls linearly to zero."""
    warm = int(WARMUP * steps)
    return step / warm if step < warm else (steps - step) / max(steps - warm, 1)


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate
