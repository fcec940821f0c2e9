"""Factorisations of positive semi-definite matrices. If one fails, it is repeated with damping, which grows tenfold until it succeeds.

The damping is reported with the result.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from robustprune.base.messages import say

FIRST_DAMPING = 1e-12
LAST_DAMPING = 1.0
BLOCK = 384


@dataclass(frozen=True)
class Factor:
    """A triangular factor, and the damping that it needed, relative to the mean of the diagonal. It is 0 if no damping was needed."""

    matrix: Float[Tensor, "n n"]
    damping: float


@dataclass(frozen=True)
class Factors:
    """The factorisations and the inverse of one symmetric positive semi-definite matrix. Each is computed at its first use.

    Layers that have the same input share one instance.
    """

    matrix: Float[Tensor, "n n"]

    @cached_property
    def cholesky(self) -> Factor:
        """The lower Cholesky factor L, ``L @ L.T == matrix``. Raises ValueError if the factorisation fails even with damping."""
        return cholesky(self.matrix)

    @cached_property
    def inverse(self) -> Float[Tensor, "n n"]:
        """The inverse of the matrix."""
        return torch.cholesky_inverse(self.cholesky.matrix)

    @cached_property
    def inverse_upper(self) -> Factor:
        """The upper triangular ``U`` with ``U.T @ U == inverse(matrix)``, and its damping.

        The Cholesky factor of the matrix with reversed rows and columns gives an upper factor of the matrix itself. The inverse of
        this upper factor is ``U``. So no explicit inverse of the matrix is needed.
        """
        factor = cholesky(self.matrix.flip(0, 1))
        identity = torch.eye(len(self.matrix), dtype=self.matrix.dtype, device=self.matrix.device)
        return Factor(torch.linalg.solve_triangular(factor.matrix.flip(0, 1), identity, upper=True), factor.damping)


def cholesky(matrix: Float[Tensor, "n n"]) -> Factor:
    """Returns the lower Cholesky factor of a symmetric positive semi-definite matrix, with damping if it is needed.

    Raises:
        ValueError: the matrix holds NaN or Inf, or is far from positive semi-definite.
    """
    lower = _factorised(matrix)
    if lower is not None:
        return Factor(lower, 0.0)
    if not torch.isfinite(matrix).all():
        raise ValueError(say("pruning.hessian_not_finite"))
    scale = matrix.diagonal().mean().clamp_min(torch.finfo(matrix.dtype).tiny)
    damping = FIRST_DAMPING
    while damping <= LAST_DAMPING:
        lower = _factorised(with_ridge(matrix, damping * scale))
        if lower is not None:
            return Factor(lower, damping)
        damping *= 10
    raise ValueError(say("pruning.hessian_not_definite"))


def _factorised(matrix: Float[Tensor, "n n"]) -> Float[Tensor, "n n"] | None:
    """Returns the lower Cholesky factor, or None if the matrix has none.

    On a CPU, a large matrix is factorised in blocks of columns. PyTorch's own routine spends most of its time on clearing the upper
    triangle of a column-major result.
    """
    size = len(matrix)
    if matrix.is_cuda or size <= BLOCK:
        lower, failed = torch.linalg.cholesky_ex(matrix)
        return None if failed or not torch.isfinite(lower.diagonal()).all() else lower
    left, lower = matrix.clone(), torch.zeros_like(matrix).T  # column-major, the layout that LAPACK's solvers expect
    for start in range(0, size, BLOCK):
        here, below = slice(start, start + BLOCK), slice(start + BLOCK, size)
        diagonal = _factorised(left[here, here])
        if diagonal is None:
            return None
        lower[here, here] = diagonal
        if start + BLOCK < size:
            lower[below, here] = torch.linalg.solve_triangular(diagonal, left[below, here].T, upper=False).T
            left[below, below] -= lower[below, here] @ lower[below, here].T
    return lower


def with_ridge(matrix: Float[Tensor, "n n"], ridge: float | Float[Tensor, ""]) -> Float[Tensor, "n n"]:
    """Returns ``matrix + ridge * I`` as a new matrix."""
    result = matrix.clone()
    result.diagonal().add_(ridge)
    return result
