"""Splits an encoder block into steps, one per group of linear layers.

So the groups can be pruned in turn, and a change of one group does not require a new run of the whole block.

    hidden --(query, key, value; attention)--> context --(output; residual, norm)--> attended
           --(feed-forward in; activation)--> inner --(feed-forward out; residual, norm)--> the next block's hidden

The first step depends on the masks and positions of the architecture. So it runs the block itself and stops at the context. This module
defines the other steps for every family of architectures.
"""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

Rows = Float[Tensor, "texts positions width"]


@dataclass(frozen=True)
class Stages:
    """The steps of a block of one family after the context, as functions.

    Attributes:
        attend: ``attend(block, context, hidden)`` returns the attended states.
        expand: ``expand(block, attended)`` returns the inner states of the feed-forward layer.
        contract: ``contract(block, inner, attended)`` returns the hidden states of the next block.
    """

    attend: Callable[[nn.Module, Rows, Rows], Rows]
    expand: Callable[[nn.Module, Rows], Rows]
    contract: Callable[[nn.Module, Rows, Rows], Rows]


BERT = Stages(
    attend=lambda block, context, hidden: block.attention.output(context, hidden),
    expand=lambda block, attended: block.intermediate(attended),
    contract=lambda block, inner, attended: block.output(inner, attended),
)
DISTILBERT = Stages(
    attend=lambda block, context, hidden: block.sa_layer_norm(block.attention.out_lin(context) + hidden),
    expand=lambda block, attended: block.ffn.activation(block.ffn.lin1(attended)),
    contract=lambda block, inner, attended: block.output_layer_norm(block.ffn.lin2(inner) + attended),
)


def stages_of(model: PreTrainedModel) -> Stages:
    """Returns the steps of the blocks of a classifier."""
    return DISTILBERT if model.config.model_type == "distilbert" else BERT
