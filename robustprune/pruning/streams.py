"""The dense and the sparse model, run in lockstep block by block over the same batches.

A stream holds nothing but the inputs of the block it stands at. A group's inputs are had by running the block only as far as the
group's first linear layer.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from robustprune import inference
from robustprune.pruning.blocks import Block, encoder_blocks

HIDDEN = ("hidden_states", "x")
# Called before every batch; raises Cancelled when the person wants to stop.
Tick = Callable[[], None]


@dataclass(frozen=True)
class Batch:
    """The inputs of one block for some texts: hidden states, which positions are real tokens, and the block's other arguments."""

    hidden: Float[Tensor, "texts positions hidden"]
    real: Bool[Tensor, "texts positions"]
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]

    def run(self, block: nn.Module) -> Float[Tensor, "texts positions hidden"]:
        """The block's output."""
        output = block(self.hidden, *self.arguments, **self.keywords)
        return output[0] if isinstance(output, tuple) else output


class _Reached(Exception):
    """Thrown by a hook to end a forward pass where nothing more of it is needed."""


@torch.inference_mode()
def block_inputs(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], tick: Tick) -> list[Batch]:
    """The first block's inputs for all texts, in batches of like length."""
    caught: list[tuple[tuple, dict]] = []

    def catch(_module: nn.Module, arguments: tuple, keywords: dict) -> None:
        caught.append((arguments, keywords))
        raise _Reached

    result = []
    with encoder_blocks(model)[0].module.register_forward_pre_hook(catch, with_kwargs=True):
        for _, encoded in inference.encoded_batches(model, tokenizer, texts):
            tick()
            try:
                model(**encoded)
            except _Reached:
                result.append(_batch(*caught.pop(), encoded["attention_mask"].bool()))
    return result


def _batch(arguments: tuple, keywords: dict, real: Bool[Tensor, "texts positions"]) -> Batch:
    keywords = dict(keywords)
    if arguments:
        return Batch(arguments[0], real, tuple(arguments[1:]), keywords)
    name = next(name for name in HIDDEN if name in keywords)
    return Batch(keywords.pop(name), real, (), keywords)


@torch.inference_mode()
def group_inputs(block: Block, group: Sequence[str], batches: Sequence[Batch]) -> Iterator[Float[Tensor, "tokens in"]]:
    """For every batch, the real tokens' inputs to a group of linear layers, which share them."""
    caught: list[Tensor] = []

    def catch(_module: nn.Module, arguments: tuple) -> None:
        caught.append(arguments[0])
        raise _Reached

    with block.linear(group[0]).register_forward_pre_hook(catch):
        for batch in batches:
            try:
                batch.run(block.module)
            except _Reached:
                yield caught.pop()[batch.real]


@dataclass(frozen=True)
class Seen:
    """What one batch's real tokens gave at the linear layers of a block: inputs by group, outputs by layer."""

    inputs: dict[tuple[str, ...], Float[Tensor, "tokens in"]]
    outputs: dict[str, Float[Tensor, "tokens out"]]


@torch.inference_mode()
def advance(block: Block, batches: Sequence[Batch], tick: Tick) -> list[Batch]:
    """The next block's inputs: the same batches with this block's outputs."""
    after = []
    for batch in batches:
        tick()
        after.append(replace(batch, hidden=batch.run(block.module)))
    return after


@torch.inference_mode()
def advance_and_see(block: Block, batches: Sequence[Batch], tick: Tick, inputs_too: bool) -> tuple[list[Batch], list[Seen]]:
    """The next block's inputs, and what every linear layer gave on the way (and got, if ``inputs_too``), in one pass."""
    after, seen = [], []
    for batch in batches:
        tick()
        here = Seen({}, {})
        hooks = [
            block.linear(name).register_forward_hook(_note(here, batch.real, name, group if inputs_too and name == group[0] else None))
            for group in block.groups
            for name in group
        ]
        try:
            after.append(replace(batch, hidden=batch.run(block.module)))
        finally:
            for hook in hooks:
                hook.remove()
        seen.append(here)
    return after, seen


def _note(seen: Seen, real: Bool[Tensor, "texts positions"], name: str, group: tuple[str, ...] | None) -> Callable[..., None]:
    """A hook that keeps a linear layer's outputs for the real tokens, and its inputs under ``group`` if one is given."""

    def hook(_module: nn.Module, arguments: tuple, output: Tensor) -> None:
        seen.outputs[name] = output[real]
        if group:
            seen.inputs[group] = arguments[0][real]

    return hook
