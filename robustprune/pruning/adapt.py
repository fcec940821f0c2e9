"""Adapts a layer to the error of the layers before it: builds the problem that the layer's solver gets (Li et al. 2023, Eq. 5)."""

from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from robustprune.base.progress import Tick
from robustprune.pruning.group_moments import GroupMoments
from robustprune.pruning.linalg import Factors, with_ridge
from robustprune.pruning.moments import InputMoments, OutputMoments
from robustprune.pruning.problem import LayerProblem
from robustprune.pruning.solvers.sparsegpt import SparseGPT
from robustprune.specs.prune import RIDGES, Pattern


@dataclass(frozen=True)
class Curvature:
    """The Hessian of one group of layers, with the ridge added: the second moments of the inputs that the layers are solved for.

    If the biases are refitted, they absorb any shift of the mean, so the moments are centred. If the biases are not refitted (as in the
    published SparseGPT and Wanda), the shift is part of the error, so the moments are not centred.

    Attributes:
        factors: the factorisations of the Hessian with the ridge.
        ridge: the ridge that is added to the diagonal, as an absolute value.
        relative_ridge: the ridge relative to the mean diagonal of the Hessian.
        input_norm: Euclidean norm of every input over all tokens, not centred.
    """

    factors: Factors
    ridge: float
    relative_ridge: float
    input_norm: Float[Tensor, " in"]

    @classmethod
    def of(cls, inputs: InputMoments, ridge: float, centred: bool) -> Self:
        """Builds the curvature from the moments of the inputs. ``ridge`` is relative to the mean diagonal of the Hessian."""
        moments = inputs.hessian if centred else inputs.about_zero
        mean_diagonal = float(moments.diagonal().mean())
        absolute = ridge * (mean_diagonal if mean_diagonal > 0 else 1.0)
        return cls(Factors(with_ridge(moments, absolute)), absolute, ridge, inputs.norm)

    def problem(self, weight: Float[Tensor, "out in"], wanted: OutputMoments | None, pattern: Pattern) -> LayerProblem:
        """Returns the problem of one layer.

        With ``wanted``, the target is the regression of these outputs on the inputs, the adaptive dense weight (Eq. 5). The ridge
        pulls it towards the dense weight W: ``(C + ridge W)(H + ridge I)^-1``. Without ``wanted`` (None), the target is ``weight``.
        """
        target = weight
        if wanted is not None:
            target = torch.cholesky_solve((wanted.cross + self.ridge * weight).T, self.factors.cholesky.matrix).T
        return LayerProblem(weight, target, self.factors.matrix, self.input_norm, pattern, self.factors)


def choose_ridge(
    moments: GroupMoments, inputs: InputMoments, linears: dict[str, nn.Linear], patterns: dict[str, Pattern], full: bool, corrects: bool, tick: Tick
) -> float:
    """Returns the ridge of RIDGES with the smallest error of a group on the held-out texts, when SparseGPT prunes the group.

    Any solver could make this comparison. SparseGPT is fast, and it over-fits like the other solvers do.

    Args:
        inputs: the moments that the Hessian of the group is built from.
        full: whether the biases are refitted.
        corrects: whether the targets are the adaptive dense weights instead of the dense weights.
    """
    errors = {}
    for ridge in RIDGES:
        curvature = Curvature.of(inputs, ridge, centred=full)
        errors[ridge] = 0.0
        for name, linear in linears.items():
            wanted = moments.fit.outputs[name]
            problem = curvature.problem(linear.weight.double(), wanted if corrects else None, patterns[name])
            weight = SparseGPT().solve(problem, lambda _done: tick(0.0)).weight
            bias = wanted.mean - weight @ moments.fit.inputs.mean if full else linear.bias.double()
            errors[ridge] += moments.held_out.outputs[name].error_of(weight, bias, moments.held_out.inputs)
    return min(RIDGES, key=errors.__getitem__)
