"""Masks with exact counts: which weights stay, given a score for each and a pattern."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robustprune.spec import Pattern

SAMPLE = 4096


def zeros(pattern: Pattern, count: int) -> int:
    """How many of ``count`` weights are zero: the sparsity's share, rounded to the nearest."""
    return round(pattern.sparsity * count)


def keep_largest(scores: Float[Tensor, "out in"], pattern: Pattern) -> Bool[Tensor, "out in"]:
    """True where a weight stays: all but the smallest scores that the pattern takes, with exactly its count of zeros."""
    if pattern.bank:
        return drop_smallest(scores.reshape(-1, pattern.bank), pattern.bank_zeros, per_row=True).reshape(scores.shape)
    per_row = pattern.scope == "row"
    return drop_smallest(scores, zeros(pattern, scores.shape[1] if per_row else scores.numel()), per_row)


def drop_smallest(scores: Float[Tensor, "out in"], drop: int, per_row: bool) -> Bool[Tensor, "out in"]:
    """False at exactly ``drop`` smallest scores, of every row or of all together. Of equal scores the first go first."""
    rows = scores if per_row else scores.reshape(1, -1)
    if not drop:
        return torch.ones_like(scores, dtype=torch.bool)
    threshold = rows.kthvalue(drop, dim=1, keepdim=True).values if per_row else _kth_smallest(rows[0], drop).reshape(1, 1)
    keep = rows > threshold
    surplus = drop - (rows.shape[1] - keep.sum(1, keepdim=True))
    if surplus.any():  # scores equal to the threshold, of which only some may go
        ties = rows == threshold
        keep |= ties & (ties.cumsum(1) > ties.sum(1, keepdim=True) + surplus)
    return keep.reshape(scores.shape)


def _kth_smallest(values: Float[Tensor, " n"], k: int) -> Float[Tensor, ""]:
    """The k-th smallest value. Of many values a sample says roughly where it lies, so that only those nearby need be looked through."""
    if len(values) < 16 * SAMPLE:
        return values.kthvalue(k).values
    sample = values[:: len(values) // SAMPLE].sort().values
    place, margin = len(sample) * k // len(values), 4 * int(len(sample) ** 0.5)
    low, high = sample[max(place - margin, 0)], sample[min(place + margin, len(sample) - 1)]
    below = int((values < low).sum())
    near = values[(values >= low) & (values <= high)]
    if below < k <= below + len(near):
        return near.kthvalue(k - below).values
    return values.kthvalue(k).values


def sparsity(mask: Bool[Tensor, "out in"]) -> float:
    """The share of zeros of a mask."""
    return 1.0 - mask.double().mean().item()
