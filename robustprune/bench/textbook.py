"""Optimal brain surgeon exactly as printed (Li et al. 2023, Alg. 1, Eq. 1 and 2): the reference for the speed and the results of ``obs``."""

import torch
from jaxtyping import Float
from torch import Tensor


def optimal_brain_surgeon(weight: Float[Tensor, "out in"], hessian: Float[Tensor, "in in"], removals: int) -> Float[Tensor, "out in"]:
    """Returns ``weight`` with ``removals`` zeros in every row. Each row has its own inverse Hessian, which every step updates.

    It needs ``out * removals * in^2`` multiplications, in the precision of the arguments.
    """
    first_inverse = torch.linalg.inv(hessian)
    result = weight.clone()
    for row in result:
        inverse, gone = first_inverse.clone(), torch.zeros(len(row), dtype=torch.bool)
        for _ in range(removals):
            p = int((row**2 / inverse.diagonal()).masked_fill(gone, torch.inf).argmin())
            row -= row[p] / inverse[p, p] * inverse[:, p]
            inverse -= torch.outer(inverse[:, p], inverse[p]) / inverse[p, p]
            row[p], gone[p] = 0.0, True
        row[gone] = 0.0
    return result
