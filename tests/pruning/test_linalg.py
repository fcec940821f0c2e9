"""Factorisations help where they must, and say by how much."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from robustprune.pruning import linalg


def definite(size, seed, rank=None):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(rank or 2 * size, size, generator=generator, dtype=torch.float64)
    return rows.T @ rows


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 30), seed=st.integers(0, 1000))
def test_the_factors_make_up_the_matrix_and_its_inverse(size, seed):
    matrix = definite(size, seed)
    factors = linalg.Factors(matrix)
    identity = torch.eye(size, dtype=torch.float64)
    assert torch.allclose(factors.cholesky.matrix @ factors.cholesky.matrix.T, matrix, rtol=1e-9, atol=1e-9)
    assert torch.allclose(factors.inverse @ matrix, identity, atol=1e-6)
    upper = factors.inverse_upper.matrix
    assert torch.equal(upper, upper.triu())
    assert torch.allclose(upper.T @ upper @ matrix, identity, atol=1e-6)
    assert factors.cholesky.damping == factors.inverse_upper.damping == 0


@pytest.mark.parametrize("size", [linalg.BLOCK - 1, linalg.BLOCK, linalg.BLOCK + 1, 2 * linalg.BLOCK + 7])
def test_a_large_matrix_is_factorised_in_blocks(size):
    matrix = definite(size, 0)
    lower = linalg.cholesky(matrix).matrix
    assert torch.equal(lower, lower.tril())
    assert torch.allclose(lower @ lower.T, matrix, rtol=1e-9, atol=1e-9 * size)


@pytest.mark.parametrize("place", [0, linalg.BLOCK + 3])
def test_a_large_matrix_that_is_not_definite_is_damped_wherever_it_fails(place):
    matrix = definite(linalg.BLOCK + 9, 0)
    matrix[place] = matrix[:, place] = 0.0
    matrix[place, place] = -1e-9
    assert linalg.cholesky(matrix).damping > 0
    matrix[place, place] = float("nan")
    with pytest.raises(ValueError, match="NaN"):
        linalg.cholesky(matrix)


@settings(max_examples=25, deadline=None)
@given(size=st.integers(4, 20), seed=st.integers(0, 1000))
def test_damping_is_the_first_power_of_ten_that_helps(size, seed):
    identity = torch.eye(size, dtype=torch.float64)
    matrix = definite(size, seed, rank=2)
    matrix = matrix - 3e-6 * matrix.diagonal().mean() * identity
    damping, scale = linalg.cholesky(matrix).damping, matrix.diagonal().mean()
    assert round(math.log10(damping), 6).is_integer()
    assert torch.linalg.cholesky_ex(matrix + damping * scale * identity).info == 0
    assert torch.linalg.cholesky_ex(matrix + damping / 10 * scale * identity).info != 0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("place", [(0, 0), (3, 1), (4, 4)])
def test_what_is_no_number_is_refused(value, place):
    matrix = definite(5, 0)
    matrix[place] = matrix[place[::-1]] = value
    with pytest.raises(ValueError, match="NaN or Inf"):
        linalg.cholesky(matrix)


def test_a_matrix_that_no_damping_helps_is_refused():
    with pytest.raises(ValueError, match="not positive"):
        linalg.cholesky(-10 * torch.eye(3, dtype=torch.float64))


def test_the_matrix_is_not_changed():
    matrix = torch.zeros(4, 4, dtype=torch.float64)
    linalg.cholesky(matrix)
    linalg.with_ridge(matrix, 1.0)
    assert not matrix.any()
