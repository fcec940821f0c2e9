"""Masks: exact counts and the largest scores kept, on small and on large layers."""

import pytest
import torch

from robustprune.pruning import patterns
from robustprune.specs.prune import Pattern


@pytest.mark.parametrize("kind", ["normal", "ties", "sorted", "constant", "heavy tail"])
@pytest.mark.parametrize("share", [0.001, 0.5, 0.875, 0.99])
def test_a_large_layer_keeps_exactly_its_largest_scores(kind, share):
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(300, 400, generator=generator)
    scores = {
        "normal": scores, "ties": (scores * 7).round(), "sorted": scores.flatten().sort().values.reshape(300, 400),
        "constant": torch.ones_like(scores), "heavy tail": scores**-4,
    }[kind]  # fmt: skip
    mask = patterns.keep_largest(scores, Pattern(share))
    assert int((~mask).sum()) == round(share * scores.numel())
    assert scores[~mask].max() <= scores[mask].min()
