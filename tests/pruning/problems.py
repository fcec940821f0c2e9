"""Layer problems of known shape, and the patterns that every solver has to keep to."""

import math

import torch

from robustprune.pruning.problem import LayerProblem
from robustprune.specs.methods import METHODS
from robustprune.specs.prune import Pattern

ROWS, COLUMNS = 12, 24
BANKS = ("1:2", "2:4", "4:8", "1:3", "3:8", "7:12")


def ignore(_fraction):
    """A tick that tells nobody."""


def inputs(seed=0, tokens=200, columns=COLUMNS, correlation=1.0):
    """Inputs whose columns are correlated."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(columns, columns, generator=generator, dtype=torch.float64)
    mixing = correlation * mixing + (1 - correlation) * torch.eye(columns, dtype=torch.float64)
    return torch.randn(tokens, columns, generator=generator, dtype=torch.float64) @ mixing


def problem(pattern=Pattern(0.5), seed=0, ridge=1e-2, x=None, rows=ROWS, **settings):  # noqa: B008
    """A problem with random weights; its inputs are ``x`` or made to ``settings``."""
    x = inputs(seed, **settings) if x is None else x
    columns = x.shape[1]
    hessian = x.T @ x
    hessian += ridge * hessian.diagonal().mean() * torch.eye(columns, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed + 1)
    weight = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    target = weight + 0.1 * torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    return LayerProblem(weight, target, hessian, x.norm(dim=0), pattern)


def patterns_of(method):
    """A pattern of every kind that a method knows."""
    return [Pattern(0.5, scope) for scope in METHODS[method].scopes] + [Pattern.parse(bank) for bank in BANKS]


# Every method with every kind of pattern, as parameters for pytest.
MATRIX = [(method, pattern) for method in METHODS for pattern in patterns_of(method)]


def matrix_id(value):
    """A readable name for a parameter."""
    return value if isinstance(value, str) else f"{value.bank - value.bank_zeros}:{value.bank}" if value.bank else value.scope


def assert_keeps_to(mask, pattern, method):
    """The mask has exactly the zeros that its pattern asks for, where it asks for them; ``obs`` rounds down, as the paper does."""
    rows, columns = mask.shape
    if pattern.bank:
        assert ((~mask).reshape(-1, pattern.bank).sum(1) == pattern.bank_zeros).all()
    elif pattern.scope == "row":
        share = pattern.sparsity * columns
        assert ((~mask).sum(1) == (math.floor(share + 1e-9) if method == "obs" else round(share))).all()
    else:
        assert int((~mask).sum()) == round(pattern.sparsity * rows * columns)
