"""Streaming moments of a layer's inputs and outputs: all that a solver and the error report ever need of the texts.

Products are taken in float32 batch by batch and summed in float64, about a provisional mean, so that nothing is lost when the
mean is subtracted in the end. Only real tokens may be given: padding is the caller's to remove.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from robustprune.pruning import linalg


@dataclass(frozen=True)
class InputMoments:
    """Centred second moments of the inputs x: ``hessian = sum (x - mean)(x - mean)^T``, their mean and the number of tokens."""

    hessian: Float[Tensor, "in in"]
    mean: Float[Tensor, " in"]
    tokens: int

    @property
    def about_zero(self) -> Float[Tensor, "in in"]:
        """The second moments without centring: ``sum x x^T``, which is what counts where no bias can take up a shift of the mean."""
        return torch.addr(self.hessian, self.mean, self.mean, alpha=self.tokens)

    @property
    def norm(self) -> Float[Tensor, " in"]:
        """Euclidean norm of every input over all tokens, not centred."""
        return (self.hessian.diagonal() + self.tokens * self.mean**2).clamp_min(0).sqrt()

    @cached_property
    def factor(self) -> linalg.Factor:
        """Cholesky factor of ``hessian`` as it is, without a ridge."""
        return linalg.cholesky(self.hessian)


@dataclass(frozen=True)
class OutputMoments:
    """Centred moments of the wanted outputs y: ``cross = sum (y - mean)(x - mean)^T``, ``power = sum ||y - mean||^2``, their mean.

    Errors are told relative to ``unit``: the power of the dense layer's own outputs.
    """

    cross: Float[Tensor, "out in"]
    power: float
    mean: Float[Tensor, " out"]
    unit: float

    def error_of(self, weight: Float[Tensor, "out in"], bias: Float[Tensor, " out"] | None, inputs: InputMoments) -> float:
        """``sum ||y - weight x - bias||^2`` relative to ``unit``; without a bias, that of the best one."""
        error = self.power - 2 * float((weight * self.cross).sum()) + float(((weight @ inputs.hessian) * weight).sum())
        if bias is not None:
            error += inputs.tokens * float(((self.mean - weight @ inputs.mean - bias) ** 2).sum())
        return relative(error, self.unit)

    def least_error(self, inputs: InputMoments) -> float:
        """The error of the best weight and bias there are: ``power - tr C H^-1 C^T``, relative to ``unit``."""
        explained = torch.linalg.solve_triangular(inputs.factor.matrix, self.cross.T, upper=False)
        return relative(self.power - float((explained**2).sum()), self.unit)

    def through(self, weight: Float[Tensor, "wider out"], bias: Float[Tensor, " wider"], power: float) -> "OutputMoments":
        """The moments of ``weight y + bias``, whose power was summed up elsewhere: outputs wider than their inputs need not be multiplied."""
        return OutputMoments(weight @ self.cross, power, weight @ self.mean + bias, power)


def relative(error: float, power: float) -> float:
    """An error as a share of a power; rounding below zero is zero. An output that never varies has no error to share."""
    return max(error, 0.0) / power if power > 0 else 0.0


class Power:
    """Sums up ``sum ||y - mean||^2`` of rows y that come in batches."""

    def __init__(self, first: Float[Tensor, "tokens width"]) -> None:
        self.rows = _Sum(first)
        self._squares = torch.zeros((), dtype=torch.float64, device=first.device)

    def add(self, rows: Float[Tensor, "tokens width"]) -> Float[Tensor, "tokens width"]:
        """Adds a batch of real tokens' rows and gives them back shifted by the provisional mean."""
        shifted = self.rows.add(rows)
        # Row by row in float32, then in float64: as exact as it needs to be, without a copy of all in float64.
        self._squares += torch.linalg.vector_norm(shifted, dim=1).double().square().sum()
        return shifted

    def total(self) -> float:
        """The sum so far."""
        return max(float(self._squares - self.rows.count * (self.rows.offset**2).sum()), 0.0)


class Accumulator:
    """Sums up the moments of one group's inputs, and of other rows that belong to the same tokens."""

    def __init__(self) -> None:
        self._inputs: _Sum | None = None
        self._second: Tensor | None = None
        self._others: dict[str, Power] = {}
        self._cross: dict[str, Tensor] = {}

    def add(self, x: Float[Tensor, "tokens in"], others: dict[str, Float[Tensor, "tokens width"]]) -> None:
        """Adds the inputs of a batch of real tokens, and by name the rows whose moments with them are wanted."""
        if self._inputs is None:
            self._inputs = _Sum(x)
            self._second = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64, device=x.device)
        x = self._inputs.add(x)
        self._second += x.T @ x
        for name, y in others.items():
            if name not in self._others:
                self._others[name] = Power(y)
                self._cross[name] = torch.zeros(y.shape[1], x.shape[1], dtype=torch.float64, device=y.device)
            self._cross[name] += self._others[name].add(y).T @ x

    def inputs(self) -> InputMoments:
        """The inputs' moments so far."""
        off = self._inputs.offset
        return InputMoments(torch.addr(self._second, off, off, alpha=-self._inputs.count), self._inputs.mean, self._inputs.count)

    def outputs(self, name: str, unit: float | None = None) -> OutputMoments:
        """The moments so far of the rows of that name. ``unit``: what errors are relative to, if not their own power."""
        other, x = self._others[name], self._inputs
        cross = torch.addr(self._cross[name], other.rows.offset, x.offset, alpha=-x.count)
        power = other.total()
        return OutputMoments(cross, power, other.rows.mean, power if unit is None else unit)


class _Sum:
    """Sum of rows about a provisional mean: that of the first batch."""

    def __init__(self, first: Float[Tensor, "tokens width"]) -> None:
        self._shift = first.mean(0)
        self._sum = torch.zeros_like(self._shift, dtype=torch.float64)
        self.count = 0

    def add(self, rows: Float[Tensor, "tokens width"]) -> Float[Tensor, "tokens width"]:
        """Adds rows to the sum and gives them back shifted."""
        shifted = rows - self._shift
        self._sum += shifted.sum(0)
        self.count += len(rows)
        return shifted

    @property
    def offset(self) -> Float[Tensor, " width"]:
        """The true mean less the provisional one."""
        return self._sum / self.count

    @property
    def mean(self) -> Float[Tensor, " width"]:
        """The mean of all rows."""
        return self._shift.double() + self.offset
