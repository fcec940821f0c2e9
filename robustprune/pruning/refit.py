"""Exact least squares on a fixed mask: the best weights a layer can have once its zeros are chosen."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robustprune.pruning import linalg
from robustprune.pruning.problem import LayerProblem, Tick

# The gradient that is left on the support, relative to the right-hand side, when the refit counts as exact.
TOLERANCE = 1e-5
LARGE = 1e5
REFINEMENTS = 4
ITERATIONS = 40


def refit(
    problem: LayerProblem, mask: Bool[Tensor, "out in"], tick: Tick, start: Float[Tensor, "out in"] | None = None
) -> tuple[Float[Tensor, "out in"], float]:
    """The weights that minimise the problem's objective among those that are zero outside ``mask``, and the damping needed.

    Every row is a linear system over its own support, ``G[S, S] v[S] = (target G)[S]``. All rows are solved at once by conjugate
    gradients in float32, preconditioned by the inverse of the whole G restricted to the support, inside an iterative refinement
    whose residuals are float64; a row that does not come to rest so is solved by a factorisation of its own. ``start`` is a
    guess, which saves time if it is good.
    """
    scale = problem.hessian.diagonal().clamp_min(torch.finfo(torch.float32).tiny).sqrt()
    hessian = problem.hessian / scale / scale[:, None]
    right_sides = (problem.target * scale) @ hessian * mask
    limit = TOLERANCE * right_sides.norm(dim=1).clamp_min(torch.finfo(torch.float64).tiny)
    single, support = hessian.float(), mask.float()
    inverse = problem.factors.inverse * scale * scale[:, None]
    if inverse.diagonal().amax() > LARGE:  # nearly singular: in float32 such an inverse would be all rounding
        inverse = torch.cholesky_inverse(linalg.cholesky(single).matrix)
    inverse = inverse.float()
    solved = torch.zeros_like(right_sides) if start is None else start * scale * mask
    residual = (right_sides - solved @ hessian) * mask
    for step in range(REFINEMENTS):
        size = residual.abs().amax().clamp_min(torch.finfo(torch.float64).tiny)  # float32 has no room for what is left in the end
        solved = solved + size * _conjugate_gradients(single, inverse, (residual / size).float(), support).double()
        residual = (right_sides - solved @ hessian) * mask
        tick((step + 1) / REFINEMENTS)
        if bool((residual.norm(dim=1) <= limit).all()):
            return solved / scale, problem.factors.cholesky.damping
    damping = problem.factors.cholesky.damping
    # Not within the limit: also the NaN of a system that float32 has no room for.
    for row in (~(residual.norm(dim=1) <= limit)).nonzero().flatten().tolist():
        tick(1.0)
        solved[row], needed = _solve_row(hessian, right_sides[row], mask[row])
        damping = max(damping, needed)
    return solved / scale, damping


def _conjugate_gradients(
    hessian: Float[Tensor, "in in"], inverse: Float[Tensor, "in in"], right_sides: Float[Tensor, "out in"], support: Float[Tensor, "out in"]
) -> Float[Tensor, "out in"]:
    """Approximate solutions of all rows' systems (Hestenes and Stiefel 1952; every row has its own step lengths)."""
    tiny = torch.finfo(right_sides.dtype).tiny
    solved, residual = torch.zeros_like(right_sides), right_sides
    towards = (residual @ inverse) * support
    direction, power = towards, (residual * towards).sum(1, keepdim=True)
    goal = 1e-8 * power
    for _ in range(ITERATIONS):
        image = (direction @ hessian) * support
        length = power / (direction * image).sum(1, keepdim=True).clamp_min(tiny)
        solved = torch.addcmul(solved, length, direction)
        residual = torch.addcmul(residual, length, image, value=-1)
        towards = (residual @ inverse) * support
        previous, power = power, (residual * towards).sum(1, keepdim=True)
        if bool((power <= goal).all()):
            break
        direction = torch.addcmul(towards, power / previous.clamp_min(tiny), direction)
    return solved


def _solve_row(hessian: Float[Tensor, "in in"], right_side: Float[Tensor, " in"], mask: Bool[Tensor, " in"]) -> tuple[Float[Tensor, " in"], float]:
    """One row's system by Cholesky factorisation, and the damping that was needed."""
    support = mask.nonzero().flatten()
    factor = linalg.cholesky(hessian[support][:, support])
    result = torch.zeros_like(right_side)
    result[support] = torch.cholesky_solve(right_side[support, None], factor.matrix)[:, 0]
    return result, factor.damping
