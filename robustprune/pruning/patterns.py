"""Masks with an exact number of zeros: chooses which weights are kept, given a score for every weight and a pattern."""

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robustprune.specs.prune import Pattern


def zeros(pattern: Pattern, count: int) -> int:
    """How many of ``count`` weights are zero: ``sparsity * count``, rounded to the nearest integer."""
    return round(pattern.sparsity * count)


def keep_largest(scores: Float[Tensor, "out in"], pattern: Pattern) -> Bool[Tensor, "out in"]:
    """Returns a mask that is True where a weight is kept. The smallest scores become zeros, exactly as many as the pattern asks for."""
    if pattern.bank:
        return drop_smallest(scores.reshape(-1, pattern.bank), pattern.bank_zeros, per_row=True).reshape(scores.shape)
    per_row = pattern.scope == "row"
    return drop_smallest(scores, zeros(pattern, scores.shape[1] if per_row else scores.numel()), per_row)


def drop_smallest(scores: Float[Tensor, "out in"], drop: int, per_row: bool) -> Bool[Tensor, "out in"]:
    """Returns a mask that is False at exactly the ``drop`` smallest scores, in every row or in the whole matrix.

    Among equal scores, those that come first are dropped first.
    """
    rows = scores if per_row else scores.reshape(1, -1)
    if not drop:
        return torch.ones_like(scores, dtype=torch.bool)
    threshold = _kth_smallest(rows, drop)
    keep = rows > threshold
    if torch.count_nonzero(keep) != len(rows) * (rows.shape[1] - drop):  # several scores equal the threshold, and only some of them may be dropped
        surplus = drop - (rows.shape[1] - keep.sum(1, keepdim=True))
        ties = rows == threshold
        keep |= ties & (ties.cumsum(1) > ties.sum(1, keepdim=True) + surplus)
    return keep.reshape(scores.shape)


def _kth_smallest(rows: Float[Tensor, "rows width"], k: int) -> Float[Tensor, "rows 1"]:
    """The k-th smallest value of every row. On a CPU, NumPy selects it: that is several times faster than PyTorch."""
    if rows.is_cuda:
        return rows.kthvalue(k, dim=1, keepdim=True).values
    return torch.from_numpy(np.partition(rows.numpy(), k - 1, axis=1)[:, k - 1 : k])


def sparsity(mask: Bool[Tensor, "out in"]) -> float:
    """The share of False entries (zero weights) in a mask."""
    return 1.0 - mask.double().mean().item()
