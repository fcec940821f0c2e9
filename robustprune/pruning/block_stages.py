"""One encoder block cut where its groups of linear layers begin, so that nothing is computed twice while they are pruned in turn.

    hidden --(query, key, value; attention)--> context --(output; residual, norm)--> attended
           --(feed-forward in; activation)--> inner --(feed-forward out; residual, norm)--> the next block's hidden

The first step depends on the architecture's masks and positions, so the block itself is run as far as the context; the others are
written out below, family by family.
"""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

Rows = Float[Tensor, "texts positions width"]


@dataclass(frozen=True)
class Stages:
    """How a block of one family goes on from its context: ``attend(block, context, hidden)``, ``expand(block, attended)``,
    ``contract(block, inner, attended)``."""

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
    """The stages of a classifier's blocks."""
    return DISTILBERT if model.config.model_type == "distilbert" else BERT
