"""Exact least squares on a fixed mask: finds the best weights of a layer whose zeros are already chosen."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robustprune.base.progress import Tick
from robustprune.pruning import linalg
from robustprune.pruning.problem import LayerProblem

# The refit counts as exact if the gradient on the support is at most this, relative to the right-hand side.
TOLERANCE = 1e-5
# If a diagonal entry of the inverse of the scaled Hessian is larger than this, float32 cannot represent the inverse accurately.
LARGE = 1e5
REFINEMENTS = 4
ITERATIONS = 60
# Number of conjugate-gradient steps between two checks for finished rows.
STEPS = 5


def refit(
    problem: LayerProblem, mask: Bool[Tensor, "out in"], tick: Tick, start: Float[Tensor, "out in"] | None = None
) -> tuple[Float[Tensor, "out in"], float]:
    """Returns the weights that minimise the problem's objective among all weights that are zero outside ``mask``, and the damping needed.

    Every row is a linear system over its own support, ``G[S, S] v[S] = (target G)[S]``, where G is the Hessian. Conjugate gradients
    solve all rows at once in float32. The preconditioner is the inverse of the whole G, restricted to the support. An iterative
    refinement around them computes the residuals in float64. A row that does not converge this way is solved by a Cholesky
    factorisation of its own. ``start`` is an initial guess; a good guess saves time.
    """
    tiny = torch.finfo(torch.float64).tiny
    scale = problem.hessian.diagonal().clamp_min(torch.finfo(torch.float32).tiny).sqrt()
    single, inverse = _scaled(problem, scale)
    size = ((problem.target @ problem.hessian) / scale * mask).norm(dim=1)
    limit = TOLERANCE * torch.maximum(size, size.square().mean().sqrt()).clamp_min(tiny)
    solved = torch.zeros_like(problem.target) if start is None else start * mask
    open_rows = torch.arange(len(mask), device=mask.device)
    for step in range(REFINEMENTS + 1):
        # Minus half the gradient of the objective, for inputs that are scaled to unit size.
        residual = ((problem.target[open_rows] - solved[open_rows]) @ problem.hessian) / scale * mask[open_rows]
        norm = residual.norm(dim=1)
        still = ~(norm <= limit[open_rows])  # NaN counts too: float32 cannot represent that system
        if step == REFINEMENTS or not still.any():
            break
        open_rows, residual, norm = open_rows[still], residual[still], norm[still]
        unit = norm.clamp_min(tiny)[:, None]  # the last residuals are too small for float32
        goal = (0.8 * limit[open_rows] / norm).clamp_min(1e-5).float()

        def part(done: float, step: int = step) -> None:
            tick((step + done) / REFINEMENTS)

        change = _conjugate_gradients(single, inverse, (residual / unit).float(), mask[open_rows].float(), goal, part)
        solved[open_rows] += unit * change.double() / scale
    damping = problem.factors.cholesky.damping
    for row in open_rows[still].tolist():
        tick(1.0)
        solved[row], needed = _solve_row(problem, row, mask[row], scale)
        damping = max(damping, needed)
    return solved, damping


def _scaled(problem: LayerProblem, scale: Float[Tensor, " in"]) -> tuple[Float[Tensor, "in in"], Float[Tensor, "in in"]]:
    """Returns the Hessian of inputs that are scaled to unit size, and its inverse, both in float32."""
    single = scale.float()
    hessian, inverse = problem.hessian.float() / single / single[:, None], problem.factors.inverse.float() * single * single[:, None]
    if not inverse.diagonal().amax() <= LARGE:
        inverse = torch.cholesky_inverse(linalg.cholesky(hessian).matrix)
    return hessian, inverse


def _conjugate_gradients(
    hessian: Float[Tensor, "in in"],
    inverse: Float[Tensor, "in in"],
    residual: Float[Tensor, "out in"],
    support: Float[Tensor, "out in"],
    goal: Float[Tensor, " out"],
    tick: Tick,
) -> Float[Tensor, "out in"]:
    """Returns approximate solutions of the systems of all rows (Hestenes and Stiefel 1952; every row has its own step lengths).

    A row is finished when the norm of its residual is at most its ``goal``. Finished rows are removed from the computation as soon as
    they are more than a fifth of the rows, so that slow rows do not make the finished ones continue.
    """
    tiny = torch.finfo(residual.dtype).tiny
    residual = residual.clone()
    result, rows = torch.zeros_like(residual), torch.arange(len(residual), device=residual.device)
    solved = torch.zeros_like(residual)
    towards = (residual @ inverse).mul_(support)
    direction, power = towards, (residual * towards).sum(1, keepdim=True)
    for step in range(1, ITERATIONS + 1):
        image = (direction @ hessian).mul_(support)
        length = power / (direction * image).sum(1, keepdim=True).clamp_min(tiny)
        solved.addcmul_(length, direction)
        residual.addcmul_(length, image, value=-1)
        if step % STEPS == 0:
            tick(step / ITERATIONS)
            going = residual.norm(dim=1) > goal
            result[rows[~going]] = solved[~going]
            if not going.any():
                return result
            if going.sum() < 0.8 * len(rows):
                rows, goal, support = rows[going], goal[going], support[going]
                solved, residual, direction, power = solved[going], residual[going], direction[going], power[going]
        towards = (residual @ inverse).mul_(support)
        previous, power = power, (residual * towards).sum(1, keepdim=True)
        direction = towards.addcmul_(power / previous.clamp_min(tiny), direction)
    result[rows] = solved
    return result


def _solve_row(problem: LayerProblem, row: int, mask: Bool[Tensor, " in"], scale: Float[Tensor, " in"]) -> tuple[Float[Tensor, " in"], float]:
    """Solves the system of one row by Cholesky factorisation. Returns the solution and the damping that was needed."""
    support = mask.nonzero().flatten()
    sizes = scale[support]
    factor = linalg.cholesky(problem.hessian[support][:, support] / sizes / sizes[:, None])
    right_side = (problem.target[row] @ problem.hessian)[support] / sizes
    result = torch.zeros_like(problem.target[row])
    result[support] = torch.cholesky_solve(right_side[:, None], factor.matrix)[:, 0] / sizes
    return result, factor.damping
