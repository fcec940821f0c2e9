"""Exact optimal brain surgeon: removes one weight at a time, in every row separately (Li et al. 2023, Alg. 1; Hassibi and Stork 1992)."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robustprune.base.progress import Tick
from robustprune.pruning.problem import LayerProblem, LayerSolution, unpruned
from robustprune.specs.prune import Pattern


@dataclass(frozen=True)
class OBS:
    """Repeatedly removes the weight of a row that costs least and lets the other weights of the row compensate it.

    It is the reference solver: it uses the selection and the update of the paper, and gives the same result as the textbook loop that
    keeps an inverse Hessian for every row.

    This solver stores no inverse per row. All rows start from the same inverse. At step t, the needed column of the row's own inverse is
    ``H^-1[:, p] - L^T L[:, p]``. The rows of L are the row's columns of the earlier steps, divided by the square roots of their pivots.
    This is a Cholesky factorisation of H^-1 in which each row chooses its own pivots. It works in float64 and stores ``in * zeros``
    numbers per row.

    Attributes:
        batch_bytes: memory in bytes for the matrices L of the rows that are processed together.
    """

    batch_bytes: int = 64 * 2**20

    def solve(self, problem: LayerProblem, tick: Tick) -> LayerSolution:
        """Prunes one layer, one batch of rows after another."""
        if problem.pattern.sparsity == 0:
            return unpruned(problem)
        inverse = problem.factors.inverse
        rows, columns = problem.target.shape
        batch = max(1, self.batch_bytes // (8 * columns * max(removals(problem.pattern, columns), 1)))
        weight, mask = torch.empty_like(problem.target), torch.empty_like(problem.target, dtype=torch.bool)
        for start in range(0, rows, batch):
            some = slice(start, start + batch)

            def part(done: float, start: int = start, end: int = min(start + batch, rows)) -> None:
                tick((start + done * (end - start)) / rows)

            weight[some], mask[some] = _prune_rows(problem.target[some], inverse, problem.pattern, part)
        return LayerSolution(weight, mask, problem.error_of(weight), problem.factors.cholesky.damping)


def removals(pattern: Pattern, columns: int) -> int:
    """Returns how many weights are removed from every row: ``sparsity * columns``, rounded down as in the paper."""
    if pattern.bank:
        return columns // pattern.bank * pattern.bank_zeros
    return math.floor(pattern.sparsity * columns + 1e-9)  # in floating point, 0.29 * 100 is slightly less than 29


def _prune_rows(
    target: Float[Tensor, "rows in"], inverse: Float[Tensor, "in in"], pattern: Pattern, tick: Tick
) -> tuple[Float[Tensor, "rows in"], Bool[Tensor, "rows in"]]:
    """Returns the weights and the mask of some rows. The comments name the equations of the paper that Algorithm 1 uses."""
    rows, columns = target.shape
    steps = removals(pattern, columns)
    weight, every = target.clone(), torch.arange(rows, device=target.device)
    diagonal = inverse.diagonal().expand(rows, columns).clone()
    barred = torch.zeros_like(weight, dtype=torch.bool)  # weights that are already zero, or that the pattern protects
    pruned = torch.zeros_like(barred)
    earlier = torch.empty(rows, steps, columns, dtype=weight.dtype, device=weight.device)
    for step in range(steps):
        # p = argmin w_p^2 / [H^-1]_pp  (Eq. 1)
        pivot = (weight**2 / diagonal).masked_fill_(barred, torch.inf).argmin(1)
        column = inverse[pivot]
        if step:
            column = torch.baddbmm(column[:, None], earlier[every, :step, pivot][:, None], earlier[:, :step], alpha=-1)[:, 0]
        column = column / column[every, pivot].sqrt()[:, None]
        # w -= w_p / [H^-1]_pp * H^-1[:, p]  (Eq. 2)
        weight -= (weight[every, pivot] / column[every, pivot])[:, None] * column
        # H^-1 -= H^-1[:, p] H^-1[p, :] / [H^-1]_pp; only the diagonal of the result is stored
        diagonal -= column**2
        earlier[:, step] = column
        pruned[every, pivot] = barred[every, pivot] = True
        if pattern.bank:
            _protect_full_banks(barred, pruned, pivot, pattern)
        if step % 16 == 0:
            tick(step / steps)
    return weight.masked_fill_(pruned, 0.0), ~pruned


def _protect_full_banks(barred: Bool[Tensor, "rows in"], pruned: Bool[Tensor, "rows in"], pivot: Tensor, pattern: Pattern) -> None:
    """Bars the remaining weights of every bank that already has all its zeros."""
    every, bank = torch.arange(len(pivot), device=pivot.device), pivot // pattern.bank
    full = pruned.unflatten(1, (-1, pattern.bank))[every, bank].sum(1) == pattern.bank_zeros
    barred.unflatten(1, (-1, pattern.bank))[every[full], bank[full]] = True
