"""Cholesky factorisation that tells when it had to help: damping grows by tens until the matrix is positive definite."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

FIRST_DAMPING = 1e-12
LAST_DAMPING = 1.0


@dataclass(frozen=True)
class Factor:
    """``lower @ lower.T == matrix + damping * mean(diag(matrix)) * I``; damping 0 where none was needed."""

    lower: Float[Tensor, "n n"]
    damping: float


def cholesky(matrix: Float[Tensor, "n n"]) -> Factor:
    """Lower Cholesky factor of a symmetric positive semi-definite matrix.

    Raises:
        ValueError: the matrix holds NaN or Inf, or is far from positive semi-definite.
    """
    if not torch.isfinite(matrix).all():
        raise ValueError("the Hessian holds NaN or Inf")
    scale = matrix.diagonal().mean().clamp_min(torch.finfo(matrix.dtype).tiny)
    damping = 0.0
    while damping <= LAST_DAMPING:
        damped = matrix + damping * scale * torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device) if damping else matrix
        lower, failed = torch.linalg.cholesky_ex(damped)
        if not failed:
            return Factor(lower, damping)
        damping = damping * 10 if damping else FIRST_DAMPING
    raise ValueError("the Hessian is not positive semi-definite")


def inverse_upper_factor(matrix: Float[Tensor, "n n"]) -> tuple[Float[Tensor, "n n"], float]:
    """Upper ``U`` with ``U.T @ U == inverse(matrix)``, and the damping that was needed.

    Factorising the matrix with rows and columns reversed gives an upper factor of the matrix itself, whose triangular inverse
    is ``U``: one factorisation instead of two and no explicit inverse.
    """
    factor = cholesky(matrix.flip(0, 1))
    upper = factor.lower.flip(0, 1)
    identity = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    return torch.linalg.solve_triangular(upper, identity, upper=True), factor.damping
