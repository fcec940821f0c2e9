"""Runs the dense and the sparse model in lockstep, block by block, over the same batches.

A stream keeps little in memory: the inputs of the current block and, within the block, the states that the next group of linear layers needs.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from robustprune.base.progress import Check
from robustprune.models import inference
from robustprune.models.architectures import Block, encoder_blocks
from robustprune.pruning.block_stages import Stages

HIDDEN = ("hidden_states", "x")
INNER_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Batch:
    """The inputs of one block for some texts: the hidden states, the positions of the real tokens, and the block's other arguments.

    ``tokens`` holds the indices of the real tokens (no padding) among all positions of all texts, counted text by text.
    """

    hidden: Float[Tensor, "texts positions hidden"]
    tokens: Int[Tensor, " tokens"]
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]

    def real(self, rows: Float[Tensor, "texts positions width"]) -> Float[Tensor, "tokens width"]:
        """Returns the rows of the real tokens."""
        flat = rows.flatten(0, 1)
        return flat if len(self.tokens) == len(flat) else flat.index_select(0, self.tokens)

    def run(self, block: nn.Module) -> Float[Tensor, "texts positions hidden"]:
        """Runs the block on this batch and returns its output."""
        output = block(self.hidden, *self.arguments, **self.keywords)
        return output[0] if isinstance(output, tuple) else output


class _Reached(Exception):
    """Raised by a hook to end a forward pass as soon as the wanted state is known."""


@torch.inference_mode()
def block_inputs(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], check: Check) -> list[Batch]:
    """Returns the inputs of the first block for all texts, in batches of texts of similar length. Calls ``check`` before every batch."""
    caught: list[tuple[tuple, dict]] = []

    def catch(_module: nn.Module, arguments: tuple, keywords: dict) -> None:
        caught.append((arguments, keywords))
        raise _Reached

    result = []
    with encoder_blocks(model)[0].module.register_forward_pre_hook(catch, with_kwargs=True):
        for _, encoded in inference.encoded_batches(model, tokenizer, texts):
            check()
            try:
                model(**encoded)
            except _Reached:
                result.append(_batch(*caught.pop(), encoded["attention_mask"].flatten().nonzero().flatten()))
    return result


def _batch(arguments: tuple, keywords: dict, tokens: Int[Tensor, " tokens"]) -> Batch:
    keywords = dict(keywords)
    if arguments:
        return Batch(arguments[0], tokens, tuple(arguments[1:]), keywords)
    name = next(name for name in HIDDEN if name in keywords)
    return Batch(keywords.pop(name), tokens, (), keywords)


# Called with the number of the batch, the names of a group of linear layers, the inputs of the group, and the outputs of each layer by
# name. Inputs and outputs hold the real tokens of the batch.
Look = Callable[[int, tuple[str, ...], Float[Tensor, "tokens in"], dict[str, Float[Tensor, "tokens out"]]], None]


@torch.inference_mode()
def advance(block: Block, batches: Sequence[Batch], check: Check, look: Look | None = None) -> list[Batch]:
    """Runs a block on all batches and returns the inputs of the next block. Calls ``look`` for every group of linear layers and every batch."""
    after: list[Batch] = []

    def seen(group: tuple[str, ...], name: str, outputs: dict[str, Tensor]) -> Callable[..., None]:
        def hook(_module: nn.Module, arguments: tuple, output: Tensor) -> None:
            batch = batches[len(after)]
            outputs[name] = batch.real(output)
            if len(outputs) == len(group):
                look(len(after), group, batch.real(arguments[0]), dict(outputs))
                outputs.clear()

        return hook

    hooks = []
    for group in block.groups if look else ():
        outputs: dict[str, Tensor] = {}
        hooks += [block.linear(name).register_forward_hook(seen(group, name, outputs)) for name in group]
    try:
        for batch in batches:
            check()
            after.append(replace(batch, hidden=batch.run(block.module)))
    finally:
        for hook in hooks:
            hook.remove()
    return after


class BlockWalk:
    """Runs one block group by group. The inputs of a group are computed with the *current* weights of the layers before it.

    Between groups, the walk keeps the context or the attended states of all batches (see :mod:`block_stages`). The wide inner states
    of the feed-forward layer are needed twice: for the moments of the last group and for the outputs of the block. They are kept for
    as many batches as fit into ``INNER_BYTES``. For the other batches they are computed a second time.
    """

    def __init__(self, block: Block, stages: Stages, batches: Sequence[Batch]) -> None:
        self._block, self._stages, self._batches = block, stages, batches
        self._contexts: list[Tensor] = []
        self._attended: list[Tensor] = []
        self._inners: dict[int, Tensor] = {}

    @torch.inference_mode()
    def inputs(self, group: int) -> Iterator[Float[Tensor, "tokens in"]]:
        """Yields, for every batch, the inputs of the group with that number for the real tokens. The caller must ask for the groups in order."""
        state = (self._hidden, self._context, self._attend, self._inner)[group]
        for number, batch in enumerate(self._batches):
            yield batch.real(state(number))
        if group == 2:
            self._contexts.clear()

    def attended(self, number: int) -> Float[Tensor, "tokens hidden"]:
        """Returns the states that the block adds to the outputs of its last layer, for the real tokens of a batch.

        The inputs of the last group must have been asked for before.
        """
        return self._batches[number].real(self._attended[number])

    @torch.inference_mode()
    def outputs(self, check: Check) -> list[Batch]:
        """Returns the inputs of the next block. Call it after all groups are pruned."""
        after = []
        for number, batch in enumerate(self._batches):
            check()
            hidden = self._stages.contract(self._block.module, self._inner(number), self._attended[number])
            after.append(replace(batch, hidden=hidden))
        return after

    def _hidden(self, number: int) -> Tensor:
        return self._batches[number].hidden

    def _context(self, number: int) -> Tensor:
        caught: list[Tensor] = []

        def catch(_module: nn.Module, arguments: tuple) -> None:
            caught.append(arguments[0])
            raise _Reached

        with self._block.linear(self._block.groups[1][0]).register_forward_pre_hook(catch):
            try:
                self._batches[number].run(self._block.module)
            except _Reached:
                self._contexts.append(caught[0])
        return caught[0]

    def _attend(self, number: int) -> Tensor:
        self._attended.append(self._stages.attend(self._block.module, self._contexts[number], self._batches[number].hidden))
        return self._attended[number]

    def _inner(self, number: int) -> Tensor:
        if number in self._inners:
            return self._inners[number]
        inner = self._stages.expand(self._block.module, self._attended[number])
        if sum(kept.nbytes for kept in self._inners.values()) + inner.nbytes <= INNER_BYTES:
            self._inners[number] = inner
        return inner
