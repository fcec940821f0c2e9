"""How a layer answers to the layers before it: the problem that its solver gets (Li et al. 2023, Eq. 5)."""

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
    """The Hessian of one group of layers with its ridge: second moments of what they are to be solved for.

    Where biases are refitted they take up any shift of the mean, so the moments are centred; where they are not, as in SparseGPT
    and Wanda as published, the shift is part of the error, so the moments are about zero.
    """

    factors: Factors
    ridge: float
    relative_ridge: float
    input_norm: Float[Tensor, " in"]

    @classmethod
    def of(cls, inputs: InputMoments, ridge: float, centred: bool) -> Self:
        """``ridge`` is relative to the mean diagonal of the Hessian."""
        moments = inputs.hessian if centred else inputs.about_zero
        mean_diagonal = float(moments.diagonal().mean())
        absolute = ridge * (mean_diagonal if mean_diagonal > 0 else 1.0)
        return cls(Factors(with_ridge(moments, absolute)), absolute, ridge, inputs.norm)

    def problem(self, weight: Float[Tensor, "out in"], wanted: OutputMoments | None, pattern: Pattern) -> LayerProblem:
        """The problem of one layer. ``wanted``: outputs whose regression becomes the target; None where the target is the weight.

        The ridge pulls the adaptive dense weight (Eq. 5) towards the dense one: ``(C + ridge W)(H + ridge I)^-1``.
        """
        target = weight
        if wanted is not None:
            target = torch.cholesky_solve((wanted.cross + self.ridge * weight).T, self.factors.cholesky.matrix).T
        return LayerProblem(weight, target, self.factors.matrix, self.input_norm, pattern, self.factors)


def choose_ridge(
    moments: GroupMoments, inputs: InputMoments, linears: dict[str, nn.Linear], patterns: dict[str, Pattern], full: bool, corrects: bool, tick: Tick
) -> float:
    """The ridge of RIDGES with which a group, pruned by SparseGPT, errs least on the texts that were kept from calibration.

    Any solver would do for the comparison; that one is quick, and suffers from over-fitting as the others do.

    Args:
        inputs: the moments that the group's Hessian comes from.
        full, corrects: whether biases are refitted, and targets with them.
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
