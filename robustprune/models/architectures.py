"""The parts of a transformers classifier that are pruned: the linear layers of its encoder blocks, in groups that share an input."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.nn import Linear, Module
    from transformers import PreTrainedModel

BERT_GROUPS = (
    ("attention.self.query", "attention.self.key", "attention.self.value"),
    ("attention.output.dense",),
    ("intermediate.dense",),
    ("output.dense",),
)
DISTILBERT_GROUPS = (
    ("attention.q_lin", "attention.k_lin", "attention.v_lin"),
    ("attention.out_lin",),
    ("ffn.lin1",),
    ("ffn.lin2",),
)


@dataclass(frozen=True)
class Family:
    """A family of architectures with the same module names.

    Attributes:
        blocks: the module name of the list of encoder blocks, within the base model.
        groups: the names of the linear layers of a block, in order of execution. Layers that share an input form one group.
        head: the names of the linear layers between the last block and the logits, in order of execution.
    """

    blocks: str
    groups: tuple[tuple[str, ...], ...]
    head: tuple[str, ...]


_ROBERTA_LIKE = Family("encoder.layer", BERT_GROUPS, ("classifier.dense", "classifier.out_proj"))
FAMILIES = {
    "bert": Family("encoder.layer", BERT_GROUPS, ("bert.pooler.dense", "classifier")),
    "roberta": _ROBERTA_LIKE,
    "xlm-roberta": _ROBERTA_LIKE,
    "electra": _ROBERTA_LIKE,
    "distilbert": Family("transformer.layer", DISTILBERT_GROUPS, ("pre_classifier", "classifier")),
}


@dataclass(frozen=True)
class Block:
    """One encoder block: its module, its index from 0, and its groups of linear layers in order of execution."""

    module: "Module"
    index: int
    groups: tuple[tuple[str, ...], ...]

    def linear(self, name: str) -> "Linear":
        """The linear layer of that name within the block."""
        return self.module.get_submodule(name)


def encoder_blocks(model: "PreTrainedModel") -> list[Block]:
    """The encoder blocks of a classifier, first to last."""
    family = FAMILIES[model.config.model_type]
    modules = model.base_model.get_submodule(family.blocks)
    return [Block(module, index, family.groups) for index, module in enumerate(modules)]


def linear_layers(model: "PreTrainedModel") -> Iterator[tuple[str, "Linear"]]:
    """Yields every linear layer that is pruned, in order of execution, as the name ``block.<i>.<name>`` and the module."""
    for block in encoder_blocks(model):
        for group in block.groups:
            for name in group:
                yield layer_name(block.index, name), block.linear(name)


def head_layers(model: "PreTrainedModel") -> Iterator[tuple[str, "Linear"]]:
    """Yields the linear layers between the last block and the logits, in order of execution, as the name in the model and the module."""
    for name in FAMILIES[model.config.model_type].head:
        yield name, model.get_submodule(name)


def layer_name(block: int, name: str) -> str:
    """The name of a linear layer in reports: ``block.<i>.<name within the block>``."""
    return f"block.{block}.{name}"
